"""The main cases, with the real client of OpenAI."""

import json

import openai
import pytest


def test_without_a_grant_the_call_is_refused_with_what_is_missing_and_where_to_get_it(world):
    person = world.add_person(R1="level 1 in SEC-01")
    with pytest.raises(openai.BadRequestError) as refused:
        world.chat(person)
    error = refused.value
    assert error.status_code == 400
    assert (error.code, error.type) == ("grant.missing", "invalid_request_error")
    assert "R1 (Chat without code context) is not open for you yet. Missing: level 1 in SEC-01." in str(error)
    assert "https://toprope.example/ladder/R1/" in str(error)
    assert world.upstream.bodies("echo") == []
    (entry,) = [e for e in world.entries(person) if e["tag"] == "exchange.refused"]
    assert entry["detail"]["rules"] == ["grant.missing"]


def test_with_a_grant_the_answer_passes_and_is_on_record(world):
    person = world.add_person("R1")
    answer = world.chat(person, text="hello there")
    assert answer.choices[0].message.content == (
        "This is Toprope's echo provider, not a model. You wrote: hello there"
    )
    assert world.tags(person) == ["exchange.started", "statement.recorded", "exchange.completed"]
    started, _, completed = world.entries(person)
    assert started["subject"] == completed["subject"]
    assert started["detail"]["model"] == "echo"
    assert completed["detail"]["outcome"] == "completed"
    assert completed["detail"]["usage"] == {"prompt_tokens": 2, "completion_tokens": 12, "total_tokens": 14}
    (use,) = world.uses(person)
    assert (use["verb"], use["object"]["key"], use["authority"]) == ("used", "R1", "gateway")


def test_a_stream_passes_word_by_word(world):
    person = world.add_person("R1")
    with world.client(person) as client:
        messages = [{"role": "user", "content": "one two"}]
        stream = client.chat.completions.create(model="echo", messages=messages, stream=True)
        words = [chunk.choices[0].delta.content for chunk in stream]
    assert words[-3:] == [" one", " two", None]
    assert world.completed(person)["outcome"] == "completed"
