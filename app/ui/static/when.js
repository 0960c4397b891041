// When the visitor asked for it: the last choice wins, however long each takes to arrive.
(cancellation, session, when, ...rest) => [cancellation, session, Date.now(), ...rest]
