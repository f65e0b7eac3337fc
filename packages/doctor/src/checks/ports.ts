import type { SmtpLog } from '@postmark-smtp/core/internal'
import { type Check, defineCheck } from '../check.js'
import type { Examination } from '../examination.js'
import { LINKS } from './links.js'
import { type PortProbe, probePort } from './probe-port.js'

/** Where a port failed although another one of the host works, by its state. */
const PORT_KINDS = {
  refused: 'port-refused',
  silent: 'port-silent',
  unreachable: 'port-silent',
  mute: 'port-mute',
  foreign: 'port-foreign',
  'turned-away': 'port-turned-away',
} as const

const FIREWALL = 'A firewall of this machine, its network or its provider drops what is sent to the port.'
const OPEN = 'Let 587 or 2525 out. The transport races all three ports, so one that works is enough.'

/** Ports and what greets on them. */
export const ports: Check = defineCheck({
  id: 'ports',
  title: 'Ports and greetings',
  after: ['url', 'dns'],
  kinds: {
    'no-port': {
      level: 'fault',
      what: 'No port of the host that the mails go to greets.',
      cause: 'A firewall blocks the ports, or host and ports are not those of an SMTP server.',
      cure: OPEN,
      link: LINKS.smtp,
    },
    'port-refused': {
      level: 'warning',
      what: 'A port refuses connections, while another one works.',
      cause: 'A firewall answers in the place of the host, or nothing listens there.',
      cure: OPEN,
      link: LINKS.smtp,
    },
    'port-silent': {
      level: 'warning',
      what: 'A port does not answer at all, while another one works. (Port 25 is only noted: most providers block it.)',
      cause: FIREWALL,
      cure: OPEN,
      link: LINKS.smtp,
    },
    'port-mute': {
      level: 'warning',
      what: 'A port takes the connection and does not greet.',
      cause: 'A proxy holds the connection, or what listens there waits for TLS.',
      cure: OPEN,
      link: LINKS.smtp,
    },
    'port-foreign': {
      level: 'warning',
      what: 'A port answers with something that is not SMTP.',
      cause: 'A proxy or another service answers there.',
      cure: OPEN,
      link: LINKS.smtp,
    },
    'port-turned-away': {
      level: 'warning',
      what: 'A port takes the connection and turns it away.',
      cause: 'The server is busy, refuses this address, or a proxy ends the connection.',
      cure: 'Try again later; if it stays so, ask the provider of this machine whether it filters SMTP.',
      link: LINKS.smtp,
    },
    'greeting-masked': {
      level: 'warning',
      what: 'A greeting is masked with asterisks: a firewall rewrites SMTP.',
      cause:
        'The "SMTP fixup" or "ESMTP inspection" of a firewall rewrites what the server says, and hides STARTTLS.',
      cure: 'Switch the inspection off for this host, or use port 2525.',
      link: LINKS.starttls,
    },
    'port-intercepted': {
      level: 'warning',
      what: 'One port of a host greets under the name of another domain than the others.',
      cause: 'The provider of this machine redirects that port to a mail server of its own.',
      cure: 'Use 587 or 2525 only: give `ports: [587, 2525]`.',
      link: LINKS.smtp,
    },
  },
  async run(examination, report) {
    const { facts, hosts, host: wanted } = examination
    facts.probes = await probeAll(examination)
    for (const host of hosts) {
      const probes = facts.probes.filter((probe) => probe.host === host)
      const greeted = probes.filter(({ state }) => state === 'greeted')
      if (greeted.length === 0 && host === wanted) {
        report.found('no-port', `${host}: ${probes.map(describe).join('; ')}`)
        continue
      }
      for (const probe of probes) {
        if (probe.state === 'greeted') continue
        // Most providers block it, and the others are tried first.
        if (probe.port === 25 && greeted.length > 0)
          report.fine(`${host} ${describe(probe)}, which does no harm`)
        else report.found(PORT_KINDS[probe.state], `${host} ${describe(probe)}`)
      }
      for (const probe of greeted) {
        if (/^220[ -]\W*\*{4}/.test(probe.text)) report.found('greeting-masked', `${host} ${describe(probe)}`)
        else if (isIntercepted(probe, greeted)) report.found('port-intercepted', `${host} ${describe(probe)}`)
        else report.fine(`${host} ${describe(probe)}`)
      }
    }
  },
})

/** Tries all ports of all hosts at once; of a host's addresses the first that greets counts. */
async function probeAll(examination: Examination): Promise<PortProbe[]> {
  const { facts, hosts, patienceMs, signal } = examination
  return Promise.all(
    hosts.flatMap((host) =>
      facts.ports.map(async (port) => {
        const found = facts.addresses.get(host) ?? []
        const families = [4, 6].flatMap((family) =>
          found.filter((each) => each.family === family).slice(0, 1),
        )
        const probes = await Promise.all(
          families.map((address) =>
            probePort({ host, port, ...address }, patienceMs, signal, silentLog(examination)),
          ),
        )
        return probes.find(({ state }) => state === 'greeted') ?? probes[0]!
      }),
    ),
  )
}

/** Writes nothing, and redacts. */
function silentLog({ redactor }: Examination): SmtpLog {
  return { client: () => {}, server: () => {}, info: () => {}, redact: (text) => redactor.text(text) }
}

function describe({ port, state, text, connectMs, greetingMs }: PortProbe): string {
  if (state === 'greeted') return `port ${port}: connected in ${connectMs} ms, greeted in ${greetingMs} ms`
  if (state === 'refused') return `port ${port}: refused`
  if (state === 'silent') return `port ${port}: no answer, as behind a firewall`
  if (state === 'mute') return `port ${port}: connected in ${connectMs} ms, no greeting`
  return `port ${port}: ${text}`
}

/** Whether it greets under another domain than most ports of the same host do. */
function isIntercepted(probe: PortProbe, greeted: readonly PortProbe[]): boolean {
  const same = greeted.filter(({ text }) => domainOf(text) === domainOf(probe.text)).length
  return greeted.length > 2 && same < greeted.length - same
}

/** @example domainOf('220 smtp.postmarkapp.com ESMTP') // 'postmarkapp.com' */
function domainOf(greeting: string): string {
  const [, name = ''] = /^220[ -](\S+)/.exec(greeting) ?? []
  return name.toLowerCase().split('.').slice(-2).join('.')
}
