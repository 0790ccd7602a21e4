// What does not fit on a page, asked in the page itself. `sweep` puts view after view on it and asks after each.
(() => {
  const PARTS = "button, h1, #lead, #next, #left, #steps li, #facts, #banner, #said, #notices, #reference, #beside > *, #stage > *";
  const BLOCKS = "header, #course, #telling, #notes > *, #beside > *, #entry, #stage > :not(.rows), [data-stage=\"rows\"] #stage, #acts button, #corner button, #aids button";
  const named = (part) => part.id || part.className.baseVal || part.className || part.tagName;
  const told = (part) => `${named(part)} “${part.textContent.trim().slice(0, 30)}”`;
  const hidden = (part) => part.closest("#scanner") || (part.closest("dialog") && !part.closest("dialog").open);

  function misfits(target) {
    const large = document.documentElement.dataset.large === "yes";
    const found = [];
    for (const part of document.querySelectorAll(PARTS)) {
      const { left, top, right, bottom, width, height } = part.getBoundingClientRect();
      if (hidden(part) || !width) continue;
      const below = !large && !part.closest(".rows") && (top < -1 || bottom > innerHeight + 1);
      if (left < -1 || right > innerWidth + 1 || below) found.push(`outside: ${told(part)}`);
      if (part.clientWidth && part.scrollWidth > part.clientWidth + 2) found.push(`cut: ${told(part)}`);
      // Places of a long number stand close; what is typed there can be taken back by a key as well.
      const small = part.tagName === "BUTTON" && !part.closest(".digits.free") && Math.min(width, height) < target;
      if (small) found.push(`small (${Math.round(width)} × ${Math.round(height)}): ${told(part)}`);
    }
    for (const id of ["words", "notes"]) {
      const part = document.getElementById(id);
      if (part.clientHeight && part.scrollHeight > part.clientHeight + 2) found.push(`${id} cut off`);
    }
    return found;
  }

  function overlaps() {
    const boxes = [...document.querySelectorAll(BLOCKS)].map((part) => [part, part.getBoundingClientRect()]).filter(([, box]) => box.width && box.height);
    const found = [];
    boxes.forEach(([one, a], place) => boxes.slice(place + 1).forEach(([other, b]) => {
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 2 && down > 2 && !one.contains(other) && !other.contains(one)) found.push(`${told(one)} over ${told(other)}`);
    }));
    return found;
  }

  const wanted = (aids) => {
    for (const aid of aids) if (document.getElementById(aid).ariaPressed !== "true") document.getElementById(aid).click();
  };

  // A visit that ends takes its aids along, so they are asked for anew. Nothing is painted in between.
  window.sweep = async (views, aids, target) => {
    const { show } = await import("/static/kiosk.js");
    return views.map((view) => {
      show(view);
      wanted(aids);
      return [...misfits(target), ...overlaps()];
    });
  };
  window.tooSmall = (target) => [...misfits(target), ...overlaps()];
  window.put = async (view, aids) => {
    (await import("/static/kiosk.js")).show(view);
    wanted(aids);
    await document.fonts.ready;
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  };
})();
