import type { SmtpLog } from '@postmark-smtp/core/internal'
import { type Check, defineCheck } from '../check.js'
import type { Examination } from '../examination.js'
import { LINKS } from './links.js'
import { type PortProbe, probePort } from './probe-port.js'

/** The kinds of a port that fails although another port of the host works, by its state. */
const PORT_KINDS = {
  refused: 'port-refused',
  silent: 'port-silent',
  unreachable: 'port-silent',
  mute: 'port-mute',
  foreign: 'port-foreign',
  'turned-away': 'port-turned-away',
} as const

const FIREWALL = 'A firewall on this machine, in its network or at its provider drops packets to the port.'
const OPEN =
  'Allow outgoing connections to port 587 or 2525. The transport races all three ports, so one open port is enough.'

/** The ports, and what greets on them. */
export const ports: Check = defineCheck({
  id: 'ports',
  title: 'Ports and greetings',
  after: ['url', 'dns'],
  kinds: {
    'no-port': {
      level: 'fault',
      what: 'The host that the emails go to sends no SMTP greeting on any port.',
      cause: 'A firewall blocks the ports, or the host and ports are not those of an SMTP server.',
      cure: OPEN,
      link: LINKS.smtp,
    },
    'port-refused': {
      level: 'warning',
      what: 'A port refuses connections, but another port works.',
      cause: 'A firewall rejects the connection, or nothing listens on the port.',
      cure: OPEN,
      link: LINKS.smtp,
    },
    'port-silent': {
      level: 'warning',
      what: 'A port does not answer at all, but another port works. (Port 25 does not count: most providers block it.)',
      cause: FIREWALL,
      cure: OPEN,
      link: LINKS.smtp,
    },
    'port-mute': {
      level: 'warning',
      what: 'A port accepts the connection but sends no greeting.',
      cause: 'A proxy holds the connection, or the service there waits for TLS.',
      cure: OPEN,
      link: LINKS.smtp,
    },
    'port-foreign': {
      level: 'warning',
      what: 'A port answers with something other than SMTP.',
      cause: 'A proxy or another service answers on the port.',
      cure: OPEN,
      link: LINKS.smtp,
    },
    'port-turned-away': {
      level: 'warning',
      what: 'A port accepts the connection, then closes it or greets with an error.',
      cause: 'The server is busy or refuses this address, or a proxy closes the connection.',
      cure: 'Try again later. If it keeps happening, ask the provider of this machine whether it filters SMTP.',
      link: LINKS.smtp,
    },
    'port-25-blocked': {
      level: 'fault',
      what: 'Port 25 is the only port to try, and it is closed.',
      cause: 'Most providers block port 25 on their machines.',
      cure: 'Remove the port from the URL, or use 587 or 2525.',
      link: LINKS.smtp,
      untested: 'a real block by a provider. The test uses a closed port 25.',
    },
    'address-failed': {
      level: 'warning',
      what: 'One address of a host fails on a port where another address of the host greets.',
      cause: 'A route or firewall in this network blocks the address, or the machine at the address is down.',
      cure: 'Allow connections to the address. Until then, the transport loses time before it tries another one.',
      link: LINKS.smtp,
    },
    'other-host-closed': {
      level: 'warning',
      what: 'The host for the other type of stream sends no greeting on any port.',
      cause: 'A firewall allows only one of Postmark’s two hosts.',
      cure: 'Allow both hosts if the application sends to both transactional and broadcasts streams.',
      link: LINKS.smtp,
    },
    'greeting-masked': {
      level: 'warning',
      what: 'A greeting is masked with asterisks because a firewall rewrites SMTP.',
      cause:
        'The "SMTP fixup" or "ESMTP inspection" of a firewall rewrites the server’s replies and hides STARTTLS.',
      cure: 'Switch the inspection off for this host, or use port 2525.',
      link: LINKS.starttls,
    },
    'port-intercepted': {
      level: 'warning',
      what: 'One port of a host greets with a different domain than the other ports.',
      cause: 'The provider of this machine redirects that port to its own mail server.',
      cure: 'Use only 587 and 2525: set `ports: [587, 2525]`.',
      link: LINKS.smtp,
    },
  },
  async run(examination, report) {
    const { facts, hosts, host: wanted } = examination
    facts.probes = await probeAll(examination)
    for (const host of hosts) {
      const ofHost = facts.probes.filter((probe) => probe.host === host)
      const best = facts.ports.flatMap((port) => bestOf(ofHost.filter((probe) => probe.port === port)) ?? [])
      const greeted = best.filter(({ state }) => state === 'greeted')
      if (greeted.length === 0) {
        const text = `no port of ${host} greets: ${ofHost.map((probe) => describe(probe, ofHost)).join('; ')}`
        if (host !== wanted) report.found('other-host-closed', text)
        else report.found(best.every(({ port }) => port === 25) ? 'port-25-blocked' : 'no-port', text)
        continue
      }
      for (const probe of best) {
        if (probe.state === 'greeted') continue
        const text = `${host} ${describe(probe)}`
        // Most providers block it, and the others are tried first.
        if (probe.port === 25) report.fine(`${text} (harmless: most providers block port 25)`)
        else report.found(PORT_KINDS[probe.state], text)
      }
      for (const probe of greeted) {
        const text = `${host} ${describe(probe)}`
        if (/^220[ -]\W*\*{4}/.test(probe.text))
          report.found('greeting-masked', `${text}; the greeting is masked`)
        else if (isIntercepted(probe, greeted))
          report.found('port-intercepted', `${text}; the other ports greet with another domain`)
        else report.fine(text)
        const others = ofHost.filter(({ port, state }) => port === probe.port && state !== 'greeted')
        for (const other of others) {
          const failed = `${host} ${describe(other, ofHost)}`
          if (other.family === 6 && other.state === 'unreachable')
            report.fine(`${failed} (harmless: this network has no IPv6)`)
          else report.found('address-failed', failed)
        }
      }
    }
  },
})

/** How many addresses of a host are tried, the two families in turn. */
const MOST_ADDRESSES = 8

/** Tries all ports of all addresses of all hosts at the same time. */
async function probeAll(examination: Examination): Promise<PortProbe[]> {
  const { facts, hosts, patienceMs, signal } = examination
  const targets = hosts.flatMap((host) => {
    const found = facts.addresses.get(host) ?? []
    const [v4, v6] = [4, 6].map((family) => found.filter((each) => each.family === family))
    const turns = found.flatMap((_, index) => [
      ...v4!.slice(index, index + 1),
      ...v6!.slice(index, index + 1),
    ])
    return turns
      .slice(0, MOST_ADDRESSES)
      .flatMap((address) => facts.ports.map((port) => ({ host, port, ...address })))
  })
  return Promise.all(targets.map((target) => probePort(target, patienceMs, signal, silentLog(examination))))
}

/** Of the addresses of a port, the first that greets, else the first that connected. */
function bestOf(probes: readonly PortProbe[]): PortProbe | undefined {
  return (
    probes.find(({ state }) => state === 'greeted') ??
    probes.find(({ connectMs }) => connectMs !== undefined) ??
    probes[0]
  )
}

/** Writes nothing, and redacts. */
function silentLog({ redactor }: Examination): SmtpLog {
  return { client: () => {}, server: () => {}, info: () => {}, redact: (text) => redactor.text(text) }
}

/** @param all the probes of the host; if they are for several addresses, the text names the address */
function describe(probe: PortProbe, all: readonly PortProbe[] = []): string {
  const { port, address, state, text, connectMs, greetingMs } = probe
  const isOneOfMany = all.some((other) => other.address !== address)
  const place = isOneOfMany ? `port ${port} of ${address}` : `port ${port}`
  if (state === 'greeted') return `${place}: connected in ${connectMs} ms, greeted in ${greetingMs} ms`
  if (state === 'refused') return `${place}: connection refused`
  if (state === 'silent') return `${place}: no answer; a firewall may drop the packets`
  if (state === 'mute') return `${place}: connected in ${connectMs} ms, but no greeting`
  if (state === 'foreign') return `${place}: it sent ${text}`
  return `${place}: ${text}`
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
