// Set the visitor's guess, which only this page knows, beside what came out.
const tell = () => {
  const place = element.querySelector('.fw-guessed');
  if (!place) return;
  const guess = (window.faceWhyGuesses || {})[place.dataset.lesson];
  const fits = JSON.parse(place.dataset.answers);
  const said = !guess ? 'You have not guessed yet.'
    : !fits.length ? `You guessed: ${guess}.`
    : fits.includes(guess) ? `You guessed: ${guess}. So it is here.` : `You guessed: ${guess}. Here it is otherwise.`;
  if (place.textContent !== said) place.textContent = said;
};
new MutationObserver(tell).observe(element, {childList: true, subtree: true});
document.addEventListener('facewhy-guess', tell);
tell();
