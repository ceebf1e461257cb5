// What pages gain with JavaScript: copying, toasts that go, a question before what cannot be undone. Each page is whole
// without it.

class CopyText extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button.copy");
    if (!button || !navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const use = button.querySelector("use");
      const before = use.getAttribute("href");
      use.setAttribute("href", before.replace("#copy", "#check"));
      toast(document.documentElement.lang === "de" ? "Kopiert" : "Copied");
      setTimeout(() => use.setAttribute("href", before), 1500);
    });
  }
}

class ToastList extends HTMLElement {
  connectedCallback() {
    for (const each of this.children) this.pass(each);
  }
  pass(element) {
    setTimeout(() => element.remove(), 10_000);
  }
}

export function toast(words) {
  const list = document.querySelector("toast-list");
  const element = document.createElement("p");
  element.className = "toast";
  element.textContent = words;
  list.append(element);
  list.pass(element);
}

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

customElements.define("copy-text", CopyText);
customElements.define("toast-list", ToastList);
