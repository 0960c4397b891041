// What can be pressed and is smaller than 24 x 24 CSS pixels, as WCAG 2.2 counts it (success criterion 2.5.8): but for
// links within a sentence, and for what lies where a picture has it, as a part of a face.
() => {
  const LEAST = 24;
  const pressed = 'a[href], button, input, select, textarea, summary, [role=button], [role=radio], [role=tab], [role=slider], [role=switch], [tabindex="0"]';
  const seen = (each) => each.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !each.disabled;
  const inline = (each) => {
    if (!each.matches('a') || getComputedStyle(each).display !== 'inline') return false;
    const around = each.closest('p, li, dd, td, figcaption, div');
    return around && around.textContent.trim().length > each.textContent.trim().length;
  };
  const scrolls = (each) => each.matches('[tabindex="0"]') && !each.matches('[role]') && !each.onclick && each.scrollWidth > each.clientWidth;
  return [...document.querySelectorAll(pressed)].flatMap((each) => {
    if (!seen(each) || each.closest('svg') && !each.matches('svg') || inline(each) || scrolls(each)) return [];
    const area = (each.matches('input[type=radio], input[type=checkbox]') && each.closest('label')) || each;
    const box = area.getBoundingClientRect();
    if (!box.width || !box.height || box.width > LEAST - .5 && box.height > LEAST - .5) return [];
    return [`${Math.round(box.width)} x ${Math.round(box.height)}: ${each.outerHTML.slice(0, 160)}`];
  });
}
