// <live-send for="part"> around a form: it is sent without leaving the page, and the <live-part> of that id shows what
// comes of it. again="15": it is sent again by itself so many seconds later, while the part holds [data-again] and
// somebody looks.

const MOST = 40; // times by itself

class LiveSend extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.shown = document.getElementById(this.getAttribute("for"));
    this.left = MOST;
    this.form.addEventListener("submit", (event) => {
      if (!this.shown) return;
      event.preventDefault();
      this.send();
    });
    this.plan();
  }
  disconnectedCallback() {
    clearTimeout(this.timer);
  }
  plan() {
    const seconds = Number(this.getAttribute("again"));
    clearTimeout(this.timer);
    if (!seconds || this.left-- <= 0) return;
    this.timer = setTimeout(() => {
      if (!document.hidden && this.shown?.querySelector("[data-again]")) this.send();
      else this.plan();
    }, seconds * 1000);
  }
  async send() {
    const button = this.form.querySelector("button");
    button.disabled = true;
    try {
      const answer = await fetch(this.form.action, { method: "POST", body: new FormData(this.form), headers: { "X-Part": "1" } });
      if (answer.redirected) return location.reload();
      if (answer.ok) {
        this.shown.show(await answer.text());
        this.shown.plan(1);
      }
      setTimeout(() => (button.disabled = false), answer.ok ? 1500 : 10_000);
    } catch {
      button.disabled = false;
    }
    this.plan();
  }
}

customElements.define("live-send", LiveSend);
