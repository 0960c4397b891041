// A camera that nobody looks at is switched off, on another tab and in a window behind others; Record switches it on
// again. Gradio's own keeps it on until the page is closed.
const camera = () => document.getElementById('live-camera');
const film = () => camera() && camera().querySelector('video');
const tracks = () => (film() && film().srcObject ? film().srcObject.getTracks() : []);
const off = () => {
  const stop = camera() && camera().querySelector('[title="stop recording"]');
  if (stop) stop.closest('button').click();
  tracks().forEach((track) => track.stop());
};
new IntersectionObserver(() => { if (camera() && !camera().offsetParent) off(); }).observe(camera());
document.addEventListener('visibilitychange', () => { if (document.hidden) off(); });
document.addEventListener('click', async (event) => {
  const record = event.target.closest('#live-camera button');
  if (!record || !record.querySelector('[title="start recording"]') || tracks().some((track) => track.readyState === 'live')) return;
  const wanted = { width: { ideal: 640 }, height: { ideal: 480 } };
  try {
    film().srcObject = await navigator.mediaDevices.getUserMedia({ video: wanted });
    await film().play();
  } catch { off(); }  // why is told beside it
}, true);
