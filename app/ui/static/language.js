language => {
  const parts = document.querySelectorAll('#api-snippets section');
  for (const part of parts) part.hidden = part.dataset.language !== language;
}
