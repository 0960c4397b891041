value => { document.documentElement.style.setProperty('--fw-heat', value); }
