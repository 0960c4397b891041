// What a visitor waits for between a face that jumps and its box that follows; run in the page before all its scripts.
// A jump is told by a bar at the edge of the film, so that the browser needs no detector of its own.
(() => {
  const times = window.delays = { jumps: [], sent: [], drawn: [] };
  const small = document.createElement('canvas');
  small.width = small.height = 1;
  const pen = small.getContext('2d', { willReadFrequently: true });
  const side = (picture, width, height) => {
    pen.drawImage(picture, width * .1, height * .02, width * .8, height * .04, 0, 0, 1, 1);
    return pen.getImageData(0, 0, 1, 1).data[0] > 127 ? 'right' : 'left';
  };
  const turned = (list, to, at) => { if (!list.length || list[list.length - 1].to !== to) list.push({ to, at }); };

  const watch = (video) => video.requestVideoFrameCallback((now, frame) => {
    turned(times.jumps, side(video, video.videoWidth, video.videoHeight), Math.min(now, frame.captureTime || now));
    watch(video);
  });

  let inside = '';
  const draw = HTMLCanvasElement.prototype.toDataURL;
  HTMLCanvasElement.prototype.toDataURL = function (...given) {
    inside = side(this, this.width, this.height);
    return draw.apply(this, given);
  };
  const send = window.fetch;
  window.fetch = (address, options) => {
    if (String((address && address.url) || address).includes('/gradio_api/stream/')) turned(times.sent, inside, performance.now());
    return send(address, options);
  };

  window.measure = () => {
    watch(document.querySelector('#live-camera video'));
    const marks = document.getElementById('live-marks');
    new MutationObserver(() => {
      const film = marks.querySelector('svg.fw-live'), box = marks.querySelector('rect.first');
      if (!box) return;
      const middle = box.x.baseVal.value + box.width.baseVal.value / 2;
      const to = middle > film.viewBox.baseVal.width / 2 ? 'right' : 'left';
      requestAnimationFrame(() => requestAnimationFrame((at) => turned(times.drawn, to, at)));
    }).observe(marks, { childList: true, subtree: true, attributes: true });
  };
})();
