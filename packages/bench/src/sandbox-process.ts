import { startSandbox } from '@postmark-smtp/sandbox'

/** A sandbox in its own process; smtp-source cannot log in. */
const sandbox = await startSandbox({ allowAnonymous: true })
process.send?.({ port: sandbox.port, inboxUrl: sandbox.inboxUrl })
process.on('disconnect', () => process.exit())
