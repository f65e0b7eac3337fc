import type { Outbox } from '../../match/outbox.js'
import type { PostmarkServer } from '../../server/postmark-server.js'
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
  /** Lets a fault strike on the next connection. */
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
      summary: 'whether the sandbox runs',
      parameters: [],
      answer: '`{ "Status": "ok" }`, without the password too',
      isOpen: true,
      handle: () => ({ Status: 'ok' }),
    },
    {
      method: 'GET',
      path: '/ca.pem',
      summary: 'the certificate that a client must trust; never its key',
      parameters: [],
      answer: 'PEM, without the password too',
      isOpen: true,
      handle: () => new Response(ca, { headers: { 'Content-Type': 'application/x-pem-file' } }),
    },
    ...mailRoutes(server, waitFor),
    ...mailActionRoutes(server),
    ...serverStateRoutes(server),
    {
      method: 'POST',
      path: '/sandbox/fail',
      summary: 'lets a fault strike on the next connection',
      parameters: FAULT,
      answer: '`{}`, once the connections that were idle are ended',
      async handle({ body }) {
        const named = FAULT.map(({ name }) => [name, body[name]] as const)
        await fail(Object.fromEntries(named.filter(([, value]) => value !== undefined)))
        return {}
      },
    },
    {
      method: 'POST',
      path: '/sandbox/advance',
      summary: 'moves the time of the sandbox on; answers when the posts that came due were made',
      parameters: [{ name: 'ms', in: 'body', type: 'number', required: true, summary: 'milliseconds' }],
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
  { ...key('phase', 'text', 'where it strikes'), required: true },
  { ...key('kind', 'text', 'what happens'), required: true },
  key('code', 'number', 'of the reply'),
  key('text', 'text', 'of the reply'),
  key('close', 'flag', 'hangs up after the reply'),
  key('half', 'flag', 'after half of the reply'),
  key('ms', 'number', 'of a delay'),
  key('bytes', 'text', 'of what is not a reply'),
  key('afterBytes', 'number', 'of a body'),
  key('accepted', 'flag', 'whether the mail is taken all the same'),
  key('recipient', 'number', 'which RCPT, from 0'),
  key('repeat', 'flag', 'each time that the phase comes'),
]
