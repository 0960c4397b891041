// Open the tab Explain, as a click on its name does.
() => [...document.querySelectorAll('[role=tablist] [role=tab]')].find((tab) => tab.textContent.trim() === 'Explain')?.click()
