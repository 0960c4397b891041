// Open a tab by its name, as a click on it does, and begin at its top.
(name) => {
  const tab = [...document.querySelectorAll('[role=tablist] [role=tab]')].find((each) => each.textContent.trim() === name);
  if (!tab) return;
  tab.click();
  window.scrollTo(0, 0);
}
