// What keeps itself up to date: <live-part src="/part" every="3"> takes its content anew from there, and <live-search>
// around a search form shows what is found while it is typed. Both rest while nobody looks.

const SLOWEST = 60; // seconds between two tries while the server does not answer

// Ends when the part it has got holds an element with data-final. What the reader is using is not changed under them.
class LivePart extends HTMLElement {
  connectedCallback() {
    this.wait = this.every = Number(this.getAttribute("every")) || 3;
    this.wake = () => this.plan(document.hidden ? 0 : 0.1);
    document.addEventListener("visibilitychange", this.wake);
    if (!this.isFinal()) this.plan(this.every);
  }
  disconnectedCallback() {
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.wake);
  }
  isFinal() {
    return this.querySelector("[data-final]") !== null;
  }
  plan(seconds) {
    clearTimeout(this.timer);
    if (seconds && !this.isFinal()) this.timer = setTimeout(() => this.look(), seconds * 1000);
  }
  async look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(this.getAttribute("src"), { headers: { "X-Part": "1" } });
      if (answer.redirected) return location.reload(); // signed out meanwhile
      if (!answer.ok) throw new Error(answer.status);
      this.show(await answer.text());
      this.wait = this.every;
    } catch {
      this.wait = Math.min(this.wait * 2, SLOWEST);
    }
    this.plan(this.wait);
  }
  show(part) {
    if (part === this.last || this.contains(document.activeElement)) return;
    const open = [...this.querySelectorAll("details[open][id]")].map((each) => each.id);
    this.innerHTML = this.last = part;
    for (const id of open) this.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  }
}

// <live-search for="found"><form>…: the element of that id is replaced by the one of the page the form leads to.
class LiveSearch extends HTMLElement {
  connectedCallback() {
    const form = this.querySelector("form");
    form.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.find(form), 200);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      clearTimeout(this.timer);
      await this.find(form);
      document.querySelector(`#${this.getAttribute("for")} [data-row] a`)?.focus(); // Enter goes on to what was found
    });
  }
  async find(form) {
    this.asked?.abort();
    this.asked = new AbortController();
    const given = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const url = `${form.getAttribute("action") || location.pathname}?${given}`;
    const id = this.getAttribute("for");
    try {
      const answer = await fetch(url, { signal: this.asked.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.getElementById(id);
      if (!found) return form.submit();
      document.getElementById(id).replaceWith(document.adoptNode(found));
      history.replaceState(null, "", url);
    } catch (error) {
      if (error.name !== "AbortError") form.submit();
    }
  }
}

customElements.define("live-part", LivePart);
customElements.define("live-search", LiveSearch);
