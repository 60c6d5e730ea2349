"""The echo provider speaks the protocol, and never passes for a model."""

import openai
import pytest

from toprope.gateway.echo import PREAMBLE


@pytest.fixture(scope="module")
def client(upstream_server):
    with openai.OpenAI(base_url=upstream_server[1].url, api_key="none", max_retries=0) as client:
        yield client


def ask(client, *messages, **options):
    return client.chat.completions.create(model="echo", messages=list(messages), **options)


def user(content):
    return {"role": "user", "content": content}


def test_it_says_what_it_is_and_what_it_was_sent(client):
    answer = ask(client, user("first"), {"role": "assistant", "content": "yes"}, user("and second"))
    assert answer.choices[0].message.content == f"{PREAMBLE}and second"
    assert "not a model" in PREAMBLE
    assert answer.choices[0].finish_reason == "stop"


def test_tokens_are_words_and_it_says_so(client):
    usage = ask(client, user("one two three")).usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (3, len(PREAMBLE.split()) + 3)
    assert usage.model_extra == {"counted_in": "words"}


def test_a_stream_comes_word_by_word_and_adds_up_to_the_same(client):
    text = "spaces   are kept, and\nlines too"
    chunks = list(ask(client, user(text), stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == PREAMBLE + text
    assert len(pieces) > len(text.split())
    assert chunks[-1].usage.completion_tokens == len((PREAMBLE + text).split())
    assert all(chunk.usage is None for chunk in ask(client, user(text), stream=True))


def test_content_in_parts(client):
    parts = [
        {"type": "text", "text": "a "},
        {"type": "image_url", "image_url": {"url": "x"}},
        {"type": "text", "text": "b"},
    ]
    assert ask(client, user(parts)).choices[0].message.content == f"{PREAMBLE}a b"
    assert ask(client).choices[0].message.content == PREAMBLE


def test_it_lists_itself(client):
    assert [model.id for model in client.models.list()] == ["echo"]
    assert client.models.retrieve("echo").id == "echo"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-5")
    with pytest.raises(openai.NotFoundError, match="chat/completions"):
        client.embeddings.create(model="echo", input="x")


def test_what_it_cannot_read_is_an_error_in_openais_shape(client):
    with pytest.raises(openai.BadRequestError, match="Not a chat request"):
        ask(client, {"content": "no role"})
