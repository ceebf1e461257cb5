// What the pages of aliases gain: a switch that turns in its row, a box that ticks all, a choice that follows the hand.

// A form within a row is sent beside the page, and the row is replaced by the one of the answer, with what it says.
document.addEventListener("submit", async (event) => {
  const row = event.target.closest("[data-row]");
  if (!row || event.defaultPrevented) return;
  event.preventDefault();
  const form = event.target;
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => null);
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page && page.getElementById(row.id);
  if (!page || !page.getElementById("found")) return form.submit();
  say(page);
  if (!found) return row.remove(); // it is not in this list any more
  row.replaceWith(document.adoptNode(found));
  found.querySelector("[role=switch]")?.focus();
});

function say(page) {
  const list = document.querySelector("toast-list");
  for (const toast of page.querySelectorAll("toast-list > .toast")) {
    list.append(document.adoptNode(toast));
    list.take(toast);
  }
}

// How many rows are ticked, and a box that ticks them all.
class TickAll extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    const box = Object.assign(document.createElement("input"), { type: "checkbox" });
    this.words = document.createElement("span");
    const label = document.createElement("label");
    label.title = this.dataset.label;
    label.append(box, this.words);
    this.replaceChildren(label);
    box.addEventListener("change", () => {
      for (const each of boxes()) each.checked = box.checked;
      this.count(box);
    });
    document.addEventListener("change", (event) => event.target.name === "alias" && this.count(box));
    this.count(box);
  }
  count(box) {
    const ticked = boxes().filter((each) => each.checked).length;
    this.words.textContent = ticked === 1 ? this.dataset.one : this.dataset.many.replace("#", ticked);
    box.checked = ticked > 0 && ticked === boxes().length;
    box.indeterminate = ticked > 0 && !box.checked;
  }
}
const boxes = () => [...document.querySelectorAll('input[name="alias"]')];

// Who writes into a line of a choice has chosen it.
class NameChoice extends HTMLElement {
  connectedCallback() {
    for (const line of this.querySelectorAll("[data-for]")) {
      const choose = () => (document.getElementById(line.dataset.for).checked = true);
      line.addEventListener("input", choose);
      line.addEventListener("pointerdown", choose); // but not by Tab, which only passes through
    }
  }
}

customElements.define("tick-all", TickAll);
customElements.define("name-choice", NameChoice);
