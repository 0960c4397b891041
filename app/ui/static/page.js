// What the page does as a whole; runs once, when it is open.
() => {
  const SOURCE = '#source';

  // The page speaks English, whatever the browser prefers.
  const html = document.documentElement;
  const speak = () => { if (html.lang !== 'en') html.lang = 'en'; };
  new MutationObserver(speak).observe(html, { attributeFilter: ['lang'] });
  speak();

  // Tabs are in the browser's history, and a reload keeps the tab.
  const tabs = () => [...document.querySelectorAll('[role=tablist] [role=tab]')].filter((tab) => tab.offsetParent);
  const address = (tab) => `#tab=${tab.textContent.trim().toLowerCase()}`;
  const open = () => {
    const place = window.location.hash || (tabs()[0] && address(tabs()[0]));
    const tab = tabs().find((each) => address(each) === place);
    if (tab && tab.getAttribute('aria-selected') !== 'true') tab.click();
  };
  document.addEventListener('click', (event) => {
    const tab = event.target.closest('[role=tablist] [role=tab]');
    if (!tab || address(tab) === (window.location.hash || address(tabs()[0]))) return;
    window.history.pushState(null, '', window.location.search + address(tab));
  });
  window.addEventListener('popstate', open);
  if (window.location.hash.startsWith('#tab=')) open();

  // Arrow keys in the list of tabs.
  document.addEventListener('keydown', (event) => {
    const tab = event.target.closest && event.target.closest('[role=tablist] [role=tab]');
    if (!tab) return;
    const all = tabs(), here = all.indexOf(tab), last = all.length - 1;
    const to = { ArrowRight: here < last ? here + 1 : 0, ArrowLeft: here > 0 ? here - 1 : last, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[to].focus();
    all[to].click();
  });

  // A word beside the place in sight where photos, films or a camera are given.
  const PLACES = `${SOURCE}, #live-stage, #clip-source`;
  const inSight = () => [...document.querySelectorAll(PLACES)].find((each) => each.offsetParent);
  const tell = (sentence, source = inSight()) => {
    if (!source) return;
    let note = document.getElementById('source-note');
    if (!note) {
      note = document.createElement('p');
      note.id = 'source-note';
      note.className = 'fw-note';
      note.setAttribute('role', 'status');
    }
    if (note.nextElementSibling !== source) source.before(note);
    note.textContent = sentence;
    note.hidden = !sentence;
  };
  const input = () => document.querySelector(`${SOURCE} input[type=file]`);

  // Of several files one is read.
  const ONE = { '#source': 'photo', '#clip-source': 'clip' };
  const count = (target, files) => {
    const place = target.closest(Object.keys(ONE).join());
    if (!place) return;
    const many = files && files.length > 1;
    tell(many ? `One ${ONE[`#${place.id}`]} is read at a time: the first of the ${files.length} that were given.` : '', place);
  };
  document.addEventListener('drop', (event) => count(event.target, event.dataTransfer && event.dataTransfer.files), true);
  document.addEventListener('change', (event) => {
    if (event.target.matches('input[type=file]')) count(event.target, event.target.files);
  }, true);

  // A picture is pasted wherever the focus is; where one writes, text comes first, which some programs put beside one.
  const WRITTEN = 'textarea, [contenteditable]:not([contenteditable=false]), input:not([type=radio], [type=checkbox], [type=range])';
  document.addEventListener('paste', async (event) => {
    const files = [...(event.clipboardData ? event.clipboardData.files : [])].filter((file) => file.type.startsWith('image/'));
    if (!files.length || event.target.closest(WRITTEN) && event.clipboardData.getData('text/plain')) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const first = tabs()[0];
    if (first && first.getAttribute('aria-selected') !== 'true') first.click();
    if (!input()) {
      const upload = document.querySelector(`${SOURCE} [aria-label="Upload file"]`);
      if (upload) upload.click();
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    if (!input()) return;
    const chosen = new DataTransfer();
    chosen.items.add(files[0]);
    input().files = chosen.files;
    const given = input();
    given.dispatchEvent(new Event('change', { bubbles: true }));
    count(given, files);
  }, true);

  // A camera that cannot be used is told beside the place that asked for it.
  const REASONS = {
    NotAllowedError: 'The browser does not let this page use the camera. Allow it in the address bar,',
    SecurityError: 'The browser does not let this page use the camera. Allow it in the address bar,',
    NotFoundError: 'No camera was found. Connect one,',
    NotReadableError: 'Another program uses the camera. Close that one,',
    AbortError: 'The camera stopped answering. Connect it again,',
  };
  const INSECURE = 'Browsers give the camera to pages on https and localhost only. Open this page by https://,';
  const FRAMED = 'This page is shown inside another one, and the browser does not give it the camera there. Open it in a tab of its own,';
  const OTHERWISE = ' or give a photo on the tab Predict.';
  const barred = (error) => {
    if (window.self === window.top || error.name !== 'NotAllowedError') return false;
    const policy = document.permissionsPolicy || document.featurePolicy;  // Firefox and Safari have neither
    return !policy || !policy.allowsFeature('camera');
  };
  const devices = navigator.mediaDevices, known = new WeakSet();
  if (devices && devices.getUserMedia) {
    const ask = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wanted) => {
      try {
        const stream = await ask(wanted);
        tell('');
        return stream;
      } catch (error) {
        const reason = REASONS[error.name] || `The camera cannot be used (${error.name}). Connect one that no other program uses,`;
        tell((barred(error) ? FRAMED : reason) + OTHERWISE);
        known.add(error);
        throw error;
      }
    };
  } else {
    document.addEventListener('click', (event) => {
      if (!event.target.closest('[title="grant webcam access"]')) return;
      tell(INSECURE + OTHERWISE);
      event.stopImmediatePropagation();
    }, true);
  }

  // Gradio's player loads a tool to cut films with, which this page's rules forbid and nobody needs; and it leaves to
  // the console what is told of a camera.
  window.addEventListener('unhandledrejection', (event) => {
    const reason = String((event.reason && event.reason.message) || event.reason);
    if (reason.includes('dynamically imported module: blob:') || known.has(event.reason)) event.preventDefault();
  });

  // Frames of the live camera: one is on its way at a time, those that come meanwhile are dropped. Gradio would send
  // each twice, as a value and as what happened, and in the quality of a print.
  const draw = HTMLCanvasElement.prototype.toDataURL;
  HTMLCanvasElement.prototype.toDataURL = function (type, quality) {
    return draw.call(this, type, type === 'image/jpeg' && quality === undefined ? 0.8 : quality);
  };
  const send = window.fetch;
  let sending = false;
  window.fetch = async (address, options) => {
    const path = String((address && address.url) || address).split('?')[0];
    const frame = /\/gradio_api\/stream\/[^/]+$/.test(path);
    const body = options && options.body;
    if (!frame && !path.endsWith('/gradio_api/queue/join') || typeof body !== 'string' || !body.includes('"is_value_data":true'))
      return send(address, options);
    if (frame && sending) return new Response('{"msg": "dropped"}', { headers: { 'Content-Type': 'application/json' } });
    sending = frame;
    try { return await send(address, { ...options, body: JSON.stringify({ ...JSON.parse(body), event_data: null }) }); }
    finally { if (frame) sending = false; }
  };
}
