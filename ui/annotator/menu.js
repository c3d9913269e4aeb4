/* A small menu at a place on the page: pick with a number, the arrows or the mouse; Escape closes it. */

function choose(root, { title, options, near, lines = [], focus = 0 }) {
  root.querySelector(".menu")?._close(null);
  const before = document.activeElement;
  return new Promise((resolve) => {
    const menu = element("div", "menu");
    menu.setAttribute("role", "dialog");
    menu.setAttribute("aria-label", title);
    menu.append(element("p", "title", title), ...lines.map((l) => element("p", "detail", l)));
    const buttons = options.map((option, i) => {
      const button = element("button", "", element("kbd", "", String(i + 1)), ` ${option.label}`);
      button.addEventListener("click", () => close(option.value));
      return button;
    });
    menu.append(...buttons);
    const close = (value) => {
      if (!menu.isConnected) return;
      menu.remove();
      removeEventListener("pointerdown", outside, true);
      before?.focus?.({ preventScroll: true });
      resolve(value);
    };
    const outside = (event) => menu.contains(event.target) || close(null);
    menu._close = close;
    menu.addEventListener("keydown", (event) => {
      event.stopPropagation();
      const at = buttons.indexOf(document.activeElement);
      if (event.key === "Escape") close(null);
      else if (/^[1-9]$/.test(event.key) && options[event.key - 1]) close(options[event.key - 1].value);
      else if (event.key === "ArrowDown" || (event.key === "Tab" && !event.shiftKey)) buttons[(at + 1) % buttons.length].focus();
      else if (event.key === "ArrowUp" || event.key === "Tab") buttons[(at - 1 + buttons.length) % buttons.length].focus();
      else return;
      event.preventDefault();
    });
    addEventListener("pointerdown", outside, true);
    root.append(menu);
    const box = root.getBoundingClientRect();
    const left = near ? near.left - box.left : (box.width - menu.offsetWidth) / 2;
    const top = near ? near.bottom - box.top + 6 : 120;
    menu.style.left = `${Math.max(8, Math.min(left, box.width - menu.offsetWidth - 8))}px`;
    menu.style.top = `${top}px`;
    buttons[focus].focus({ preventScroll: true });
    menu.scrollIntoView({ block: "nearest" });
  });
}
