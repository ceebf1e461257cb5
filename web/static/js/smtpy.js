// What every page gains with JavaScript: copying, toasts that go, a question before what cannot be undone. Pages are
// whole without it. Words come from the page, in the reader's language.

const SHOWN = 10_000; // ms: as long as an undo is offered

class CopyText extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button.copy");
    if (!button || !navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const use = button.querySelector("use");
  const before = use.getAttribute("href");
  use.setAttribute("href", before.replace(/#.*/, "#check"));
  setTimeout(() => use.setAttribute("href", before), 1500);
  tell(document.querySelector("toast-list").dataset.copied);
}

// Toasts go by themselves, but not from under a hand or the keyboard's focus.
class ToastList extends HTMLElement {
  connectedCallback() {
    for (const each of this.children) this.take(each);
  }
  take(toast) {
    const close = toast.querySelector(".close");
    if (close) {
      close.hidden = false;
      close.addEventListener("click", () => toast.remove());
    }
    let timer = 0;
    const start = () => (timer = setTimeout(() => toast.remove(), SHOWN));
    const stop = () => clearTimeout(timer);
    for (const each of ["mouseenter", "focusin"]) toast.addEventListener(each, stop);
    for (const each of ["mouseleave", "focusout"]) toast.addEventListener(each, start);
    if (!toast.classList.contains("bad")) start(); // what went wrong stays until it is read
  }
}

// Say something in a toast. Other modules dispatch the event "tell" on the document, with the words as its detail.
function tell(words) {
  const list = document.querySelector("toast-list");
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.textContent = words;
  list.append(toast);
  list.take(toast);
}
document.addEventListener("tell", (event) => tell(event.detail));

// <form data-confirm="Really?">: asked in the page's <dialog>; its button bears the words of the one that was pressed.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (!question || form.dataset.confirmed) return;
  event.preventDefault();
  if (!(await agreed(question, event.submitter))) return;
  form.dataset.confirmed = "yes";
  form.requestSubmit(event.submitter);
  delete form.dataset.confirmed;
});

function agreed(question, button) {
  const dialog = document.querySelector("#ask");
  if (!dialog?.showModal) return Promise.resolve(window.confirm(question));
  const yes = dialog.querySelector("[value=yes]");
  dialog.querySelector("p").textContent = question;
  yes.textContent = button?.textContent.trim() || button?.ariaLabel || yes.dataset.words;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }),
  );
}

// <select data-submit>, <input type="checkbox" data-submit>: sent when changed; the button beside it is for the others.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// A <details class="menu"> closes as menus do.
document.addEventListener("click", ({ target }) => {
  for (const each of document.querySelectorAll("details.menu[open]")) if (!each.contains(target)) each.open = false;
});
document.addEventListener("keydown", ({ key, target }) => {
  const menu = key === "Escape" && target.closest("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// A password that its owner may look at while it is typed.
class ShowSecret extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    const button = this.querySelector("button.show");
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
      input.focus();
    });
    input.form.addEventListener("submit", () => (input.type = "password")); // or browsers remember it as a word
  }
}

customElements.define("copy-text", CopyText);
customElements.define("show-secret", ShowSecret);
customElements.define("toast-list", ToastList);
navigator.serviceWorker?.register("/sw.js");
