// What pages can do better with a script. Everything works without it; nothing here decides anything.

"use strict";

// Copy buttons appear only where a script can copy.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    button.textContent = "Press Ctrl+C to copy";
  }
});

// One click sends a form once. The server would not mind a second one; a person might.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  if (form.dataset.draft) sessionStorage.removeItem(draftKey(form));
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
});

// Marks and text of a practical survive a reload until they are handed in.
const draftKey = (form) => `draft:${form.dataset.draft}`;

function keepDraft(form) {
  const marks = [...form.querySelectorAll("input[type=checkbox]:checked")].map((box) => [box.name, box.value]);
  const texts = [...form.querySelectorAll("textarea")].map((area) => [area.name, area.value]);
  sessionStorage.setItem(draftKey(form), JSON.stringify({ marks, texts }));
}

function restoreDraft(form) {
  const kept = JSON.parse(sessionStorage.getItem(draftKey(form)) ?? "null");
  if (!kept) return;
  for (const [name, value] of kept.marks) {
    const box = form.querySelector(`input[name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`);
    if (box) box.checked = true;
  }
  for (const [name, value] of kept.texts) {
    const area = form.elements[name];
    if (area && !area.value) area.value = value;
  }
}

// A counter under a text area.
function count(area) {
  document.getElementById(area.dataset.counter).textContent =
    `${area.value.length} of ${area.maxLength} characters.`;
}

// Marking words: arrow keys go from word to word, dragging marks a run of them.
function wireTokens(group) {
  const boxes = [...group.querySelectorAll("input[type=checkbox]")];
  group.addEventListener("keydown", (event) => {
    const at = boxes.indexOf(event.target);
    if (at < 0) return;
    const to = {
      ArrowRight: () => at + 1,
      ArrowLeft: () => at - 1,
      ArrowDown: () => nearest(boxes, at, 1),
      ArrowUp: () => nearest(boxes, at, -1),
      Home: () => 0,
      End: () => boxes.length - 1,
    }[event.key];
    if (!to) return;
    event.preventDefault();
    boxes[to()]?.focus();
  });

  let dragged = null;
  group.addEventListener("pointerdown", (event) => {
    const box = event.target.closest(".token")?.querySelector("input");
    if (box && event.pointerType === "mouse") dragged = { first: box, value: !box.checked, moved: false };
  });
  group.addEventListener("pointerover", (event) => {
    const box = event.target.closest(".token")?.querySelector("input");
    if (!dragged || !box || (box === dragged.first && !dragged.moved)) return;
    dragged.moved = true;
    dragged.first.checked = dragged.value;
    box.checked = dragged.value;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  });
  // The click that ends a drag on the word where it began would undo the mark.
  group.addEventListener("click", (event) => {
    if (dragged?.moved) event.preventDefault();
    dragged = null;
  });
  addEventListener("pointerup", () => setTimeout(() => (dragged = null)));
}

function nearest(boxes, at, direction) {
  const here = boxes[at].getBoundingClientRect();
  const middle = here.left + here.width / 2;
  let best = at;
  let closest = Infinity;
  let row = null;
  for (let next = at + direction; next >= 0 && next < boxes.length; next += direction) {
    const rect = boxes[next].getBoundingClientRect();
    if (Math.abs(rect.top - here.top) < here.height / 2) continue;
    row ??= rect.top;
    if (Math.abs(rect.top - row) > here.height / 2) break;
    const distance = Math.abs(rect.left + rect.width / 2 - middle);
    if (distance < closest) [best, closest] = [next, distance];
  }
  return best;
}

function wire(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  for (const group of root.querySelectorAll("[data-tokens]")) wireTokens(group);
  for (const form of root.querySelectorAll("[data-draft]")) {
    restoreDraft(form);
    form.addEventListener("input", () => keepDraft(form));
    form.addEventListener("change", () => keepDraft(form));
  }
  for (const area of root.querySelectorAll("[data-counter]")) {
    count(area);
    area.addEventListener("input", () => count(area));
  }
}

wire(document);

// After an answer came in without a page load: go to the feedback, so that it is read out.
document.addEventListener("htmx:afterSettle", () => document.querySelector("#feedback")?.focus());

// Where that fails, send the form the ordinary way: the page that comes back says what is wrong.
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, (event) => event.detail.elt.submit());
}
