// What opens a stream carries no frame, so that it is as small as other calls: Gradio runs this for the first one alone.
(frame, ...rest) => [null, ...rest]
