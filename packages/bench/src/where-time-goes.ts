import type { Environment } from './environment.js'
import { multipart, oneLine } from './messages.js'
import { type OwnTime, profile } from './profile.js'
import type { Section } from './section.js'
import { MAKERS } from './senders.js'

const CONCURRENCY = 50
const FUNCTIONS = 25

/** Areas of the CPU time of an email, by the file of the function; the first that fits counts. */
const AREAS: readonly (readonly [area: string, fits: (time: OwnTime) => boolean])[] = [
  ['garbage collection', ({ name }) => name === '(garbage collector)'],
  ['native: system calls, OpenSSL, strings', ({ file }) => file === ''],
  [
    'Nodemailer: composing',
    ({ file }) => /nodemailer\/.*\/(mime|mail-composer|qp|base64|addressparser|punycode)/.test(file),
  ],
  ['Nodemailer: everything else', ({ file }) => file.startsWith('node_modules/nodemailer')],
  [
    'ours: headers and checks',
    ({ file }) => /packages\/core\/dist\/(compile|fields|message|context|vocabulary)/.test(file),
  ],
  ['ours: queue and session', ({ file }) => file.includes('packages/core/')],
  ['Node: sockets, TLS, streams', ({ file }) => /^node:.*(tls|net|stream|socket|js_stream)/.test(file)],
  ['Node: ticks, promises, timers, everything else', ({ file }) => file.startsWith('node:')],
  ['the bench', () => true],
]

const CASES = [
  ['one line', oneLine],
  ['multipart', multipart],
] as const

/** CPU of an email by area, over TLS on the loopback interface. */
export async function measureAreas(env: Environment): Promise<Section[]> {
  const rows: (string | number)[][] = []
  for (const [what, message] of CASES) {
    const [before, after] = await profileBoth(env, message)
    for (const [area] of AREAS) rows.push([what, area, sumOf(before, area), sumOf(after, area)])
    rows.push([what, 'total', sumOf(before), sumOf(after)])
  }
  return [
    {
      title: 'Where the CPU time of an email goes, loopback: µs/mail by area, from a profile',
      headings: ['mail', 'area', ...MAKERS.slice(0, 2).map(([name]) => name)],
      rows,
    },
  ]
}

/** The functions with the most self time. */
export async function measureFunctions(env: Environment): Promise<Section[]> {
  const sections: Section[] = []
  for (const [what, message] of CASES) {
    const profiles = await profileBoth(env, message)
    for (const [index, times] of profiles.entries()) {
      const all = sumOf(times)
      sections.push({
        title: `Functions with the most self time: ${what}, ${MAKERS[index]![0]}`,
        headings: ['function', 'file', 'µs/mail', '%'],
        rows: times
          .slice(0, FUNCTIONS)
          .map(({ name, file, micros }) => [name, file, micros, (micros / all) * 100]),
      })
    }
  }
  return sections
}

/** Profiles plain Nodemailer and our transport, each warmed up first. */
async function profileBoth(env: Environment, message: object): Promise<[OwnTime[], OwnTime[]]> {
  const count = env.rounds(2000)
  const profiles: OwnTime[][] = []
  for (const [, make] of MAKERS.slice(0, 2)) {
    const sender = make({ port: env.near, cert: env.cert })
    const send = async () => {
      let left = count
      const work = async () => {
        while (left-- > 0) await env.inRequest(() => sender.sendMail(message))
      }
      await Promise.all(Array.from({ length: CONCURRENCY }, work))
      env.tally(count)
    }
    await send()
    profiles.push(await profile(send, count))
    await sender.close()
  }
  return profiles as [OwnTime[], OwnTime[]]
}

function sumOf(times: readonly OwnTime[], area?: string): number {
  const inArea = (time: OwnTime) => AREAS.find(([, fits]) => fits(time))![0] === area
  return times
    .filter((time) => area === undefined || inArea(time))
    .reduce((sum, { micros }) => sum + micros, 0)
}
