// The first use of each word that a tab explains carries its meaning, to hover; the fold below has them all.
// What gr.HTML shows is marked word by word, a label of Gradio's as a whole. Gradio may redraw either at any time, and then
// the words are looked for again.
const SELDOM_MS = 800;
const LABEL = '[data-testid=block-info]';
const PLAIN = '.fw-glossary, a, abbr, button, code, label, summary, svg, [aria-live], [role=radio], [role=status]';
const panel = element.closest('[role=tabpanel]');
// A word with a capital inside is a name: RISE is not "rise".
const asWritten = (term) => /^.+[A-Z]/.test(term);
const terms = [...element.querySelectorAll('dt')].map((dt) => ({
  word: dt.textContent,
  meaning: dt.nextElementSibling.textContent,
  use: new RegExp(`(?<![\\w-])${dt.textContent}s?(?![\\w+-])`, asWritten(dt.textContent) ? '' : 'i'),
}));

// A closed fold has rectangles of its own, so an old browser may mark a word that is read later.
const visible = (node) => (node.checkVisibility ? node.checkVisibility() : node.getClientRects().length > 0);
const ours = (place) => place.matches(`${LABEL}:not(.fw-gloss)`) || (place.closest('.html-container') && !place.closest(PLAIN));
const texts = () => {
  const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT, ({ data, parentElement }) =>
    data.trim() && ours(parentElement) && visible(parentElement) ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_REJECT);
  const found = [];
  while (walker.nextNode()) found.push(walker.currentNode);
  return found;
};
const first = (wanted, text) => wanted
  .map((term) => ({ term, use: term.use.exec(text) }))
  .filter(({ use }) => use)
  .sort((one, other) => one.use.index - other.use.index || other.use[0].length - one.use[0].length)[0];
const mark = (term, place) => {
  place.classList.add('fw-gloss');
  place.title = term.meaning;
  place.dataset.term = term.word;
};
const markWord = (term, node, use) => {
  const word = node.splitText(use.index), rest = word.splitText(use[0].length);
  const place = document.createElement('abbr');
  word.replaceWith(place);
  place.append(word);
  mark(term, place);
  return rest;
};
const markAll = () => {
  if (!visible(panel)) return;
  const marked = [...panel.querySelectorAll('.fw-gloss')].filter(visible).map((each) => each.dataset.term);
  let wanted = terms.filter(({ word }) => !marked.includes(word));
  for (let node of texts()) {
    for (let found; node && (found = first(wanted, node.data)); ) {
      const { term, use } = found;
      wanted = wanted.filter((other) => other !== term);
      if (node.parentElement.matches(LABEL)) {
        mark(term, node.parentElement);
        node = null;
      } else {
        node = markWord(term, node, use);
      }
    }
  }
};

let waits = false;
const soon = () => {
  if (waits) return;
  waits = true;
  setTimeout(() => { waits = false; markAll(); }, SELDOM_MS);
};
const CHANGES = { childList: true, subtree: true, attributes: true, attributeFilter: ['class', 'style', 'open', 'hidden'] };
new MutationObserver(soon).observe(panel, CHANGES);
soon();
