// The declarations of postmark 5, which the tests use, name this type of the DOM.
type RequestInfo = Parameters<typeof fetch>[0]
