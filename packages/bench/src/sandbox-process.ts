import { startSandbox } from '@postmark-smtp/sandbox'

/** A sandbox in a process of its own; smtp-source cannot log in. */
const sandbox = await startSandbox({ allowAnonymous: true })
process.send?.({ port: sandbox.port, inboxUrl: sandbox.inboxUrl })
process.on('disconnect', () => process.exit())
