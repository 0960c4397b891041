value => {
  const style = document.documentElement.style, paints = Number(value) > 0;
  style.setProperty('--fw-touch', paints ? 'none' : 'manipulation');
  style.setProperty('--fw-hand', paints ? 'crosshair' : 'pointer');
  style.setProperty('--fw-areas', paints ? 'none' : 'auto');
  style.setProperty('--fw-brush', value);
}
