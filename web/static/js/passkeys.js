// Passkeys: the browser's own functions, and a form that takes what they say. Without JavaScript, or in a browser that
// has no passkeys, there is no button.

async function options(element) {
  const answer = await fetch(element.dataset.options, {
    method: "POST",
    headers: { "X-CSRFToken": element.form.elements.csrf_token.value },
  });
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
}

class PasskeyForm extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
    this.hidden = false;
    this.words = this.querySelector("[role=status]");
    this.form.addEventListener("submit", (event) => {
      if (this.form.elements.credential.value) return;
      event.preventDefault();
      this.run(() => this.ask());
    });
    if ("autofill" in this.dataset) this.offer();
  }

  // The address field offers passkeys by itself; pressing the button takes over.
  async offer() {
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    this.waiting = new AbortController();
    try {
      await this.get({ mediation: "conditional", signal: this.waiting.signal });
    } catch {
      // nothing was chosen; the page is as it was
    }
  }

  async run(ceremony) {
    this.waiting?.abort();
    this.words.hidden = true;
    try {
      await ceremony();
    } catch {
      this.words.hidden = false;
    }
  }

  async ask() {
    await this.get({});
  }

  async get(how) {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await options(this));
    this.send(await navigator.credentials.get({ publicKey, ...how }));
  }

  send(credential) {
    this.form.elements.credential.value = JSON.stringify(credential);
    this.form.submit();
  }
}

class PasskeyMaker extends PasskeyForm {
  async ask() {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await options(this));
    this.send(await navigator.credentials.create({ publicKey }));
  }
}

customElements.define("passkey-form", PasskeyForm);
customElements.define("passkey-maker", PasskeyMaker);
