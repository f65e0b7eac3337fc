import type { Outbox } from '../../match/outbox.js'
import type { PostmarkServer } from '../../server/postmark-server.js'
import { FAULT_KINDS, FAULT_PHASES } from '../../smtp/faults/fault-script.js'
import type { ControlParameter, ControlRoute } from './control-route.js'
import { mailActionRoutes } from './mail-action-routes.js'
import { mailRoutes } from './mail-routes.js'
import { serverStateRoutes } from './server-state-routes.js'

/** What the control API reads and changes. */
export interface ControlContext {
  readonly server: PostmarkServer
  /** The certificate in PEM, without its key. */
  readonly ca: string
  readonly waitFor: Outbox['waitFor']
  /** Makes a fault strike on the next connection. */
  fail(fault: unknown): Promise<void>
  /** Moves the sandbox's time on. */
  advance(ms: number): Promise<void>
}

/** The control API, for tests in another process or language: one table of routes. */
export function controlRoutes({ server, ca, waitFor, fail, advance }: ControlContext): ControlRoute[] {
  return [
    {
      method: 'GET',
      path: '/health',
      summary: 'Check whether the sandbox runs',
      parameters: [],
      answer: '`{ "Status": "ok" }`, even without the password',
      isOpen: true,
      handle: () => ({ Status: 'ok' }),
    },
    {
      method: 'GET',
      path: '/ca.pem',
      summary: 'Get the certificate that a client must trust, without its key',
      parameters: [],
      answer: 'PEM, even without the password',
      isOpen: true,
      handle: () => new Response(ca, { headers: { 'Content-Type': 'application/x-pem-file' } }),
    },
    ...mailRoutes(server, waitFor),
    ...mailActionRoutes(server),
    ...serverStateRoutes(server),
    {
      method: 'POST',
      path: '/sandbox/fail',
      summary: 'Make a fault strike on the next connection',
      parameters: FAULT,
      answer: '`{}`, after idle connections have ended',
      async handle({ given }) {
        const named = FAULT.map(({ name }) => [name, given(name)] as const)
        await fail(Object.fromEntries(named.filter(([, value]) => value !== undefined)))
        return {}
      },
    },
    {
      method: 'POST',
      path: '/sandbox/advance',
      summary: 'Move the time of the sandbox on, and wait for the posts that become due',
      parameters: [{ name: 'ms', in: 'body', type: 'number', required: true, summary: 'Milliseconds' }],
      answer: '`Now`',
      async handle(request) {
        await advance(request.number('ms')!)
        return { Now: server.now().toISOString() }
      },
    },
  ]
}

const key = (name: string, type: ControlParameter['type'], summary: string): ControlParameter => ({
  ...{ name, in: 'body', type, summary },
})
const FAULT: readonly ControlParameter[] = [
  { ...key('phase', 'text', 'Where it strikes'), required: true, values: FAULT_PHASES },
  { ...key('kind', 'text', 'What happens'), required: true, values: FAULT_KINDS },
  key('code', 'count', 'Code of the reply'),
  key('text', 'text', 'Text of the reply'),
  key('close', 'flag', 'Whether to hang up after the reply'),
  key('half', 'flag', 'Whether to stop after half of the reply'),
  key('ms', 'number', 'Length of the delay in milliseconds'),
  key('bytes', 'text', 'Bytes that are sent instead of a reply'),
  key('afterBytes', 'count', 'How many bytes of the body must have arrived'),
  key('accepted', 'flag', 'Whether the email is accepted anyway'),
  key('recipient', 'count', 'Which RCPT, from 0'),
  key('repeat', 'flag', 'Whether it strikes each time that the phase comes'),
]
