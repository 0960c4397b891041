(state, code) => [state, new URLSearchParams(window.location.search).get('lab') || '']
