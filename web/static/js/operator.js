// What the pages of administrators gain with JavaScript: one box that checks all others of its form.

class CheckAll extends HTMLElement {
  connectedCallback() {
    const form = this.closest("form");
    const label = document.createElement("label");
    label.className = "small";
    const box = document.createElement("input");
    box.type = "checkbox";
    label.append(box, ` ${this.getAttribute("label")}`);
    this.replaceChildren(label);
    const others = () => [...form.querySelectorAll('input[type="checkbox"][name="id"]')];
    box.addEventListener("change", () => others().forEach((each) => (each.checked = box.checked)));
    form.addEventListener("change", () => {
      const checked = others().filter((each) => each.checked).length;
      box.checked = checked > 0 && checked === others().length;
      box.indeterminate = checked > 0 && !box.checked;
    });
  }
}

customElements.define("check-all", CheckAll);
