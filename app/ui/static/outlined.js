value => { document.documentElement.style.setProperty('--fw-outline', value ? 1.1 : 0); }
