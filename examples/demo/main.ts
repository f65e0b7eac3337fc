import type { FieldOrigin, FieldOrigins } from '@postmark-smtp/core'
import { main as runExpress } from '@postmark-smtp/example-express-app/main'
import { main as runFastify } from '@postmark-smtp/example-fastify-app/main'
import { main as runHono } from '@postmark-smtp/example-hono-app/main'
import { main as runModulesMailer } from '@postmark-smtp/example-nest-modules-mailer/main'
import { main as runNest } from '@postmark-smtp/example-nestjs-app/main'
import { main as runNewsletter } from '@postmark-smtp/example-newsletter/main'
import { main as runObservability } from '@postmark-smtp/example-observability/main'
import { main as runQueue } from '@postmark-smtp/example-queue/main'
import { main as runScript } from '@postmark-smtp/example-script/main'
import type { SandboxMail } from '@postmark-smtp/sandbox'
import { runCircle } from './circle.js'
import { toTable } from './table.js'

/** Runs the examples, each with its own local server: a table of what arrived, one round trip, then the larger examples. */
export async function main(print: (line: string) => void): Promise<void> {
  const rows: string[][] = []
  const refused: string[] = []
  const run = async (name: string, example: typeof runScript) => {
    const note = (line: string) => {
      if (/^Not sent|: 422 /.test(line)) refused.push(`${name}: ${line}`)
    }
    await example(note, (mail, origins) => rows.push(toRow(name, mail, origins)))
  }
  await run('script', runScript)
  await run('express', runExpress)
  await run('fastify', runFastify)
  await run('hono', runHono)
  await run('nest', runNest)

  for (const line of toTable(['example', 'subject', 'stream', 'tag', 'metadata', 'verdict', 'set by'], rows))
    print(line)
  print('')
  for (const line of refused) print(line)
  print('')
  await runCircle(print)
  print('')
  print('@nestjs-modules/mailer, with the plugin and with our transporter')
  await runModulesMailer(print)
  print('')
  print('A queue on Redis: Express adds emails to it, and a worker process sends them')
  await runQueue(print)
  print('')
  print('Observability: the log, spans and metrics of an email sent by a request and of one sent by a queue')
  await runObservability(print)
  print('')
  print('A newsletter from a CSV file: stopped after some emails, as with Ctrl-C, then continued')
  await runNewsletter(print, { subscribers: 2_000, stopAt: 200 })
}

function toRow(
  example: string,
  { subject, postmark: fields, verdict }: SandboxMail,
  origins: FieldOrigins,
): string[] {
  // The correlation ID differs for each email and would fill a column.
  const keys = Object.keys(fields.metadata ?? {}).filter((key) => key !== 'correlation-id')
  const names = [
    ...Object.keys(fields).filter((field) => field !== 'metadata'),
    ...keys.map((key) => `metadata.${key}`),
  ]
  // The outermost scope is the application's or the only one. The scopes within it are the route's.
  const depth = Math.max(-1, ...Object.values(origins).map(({ level }) => depthOf(level)))
  const from = new Map<string, string[]>()
  for (const field of names) {
    const level = nameLevel(origins[field]?.level, depth, example === 'script' ? 'scope' : 'app')
    from.set(level, [...(from.get(level) ?? []), field.replace('metadata.', '')])
  }
  const where = [...from].map(([level, list]) => `${level}: ${list.join(' ')}`).join('; ')
  return [
    example,
    subject,
    fields.messageStream ?? '',
    fields.tag ?? '',
    keys.map((key) => `${key}=${fields.metadata?.[key]}`).join(' '),
    toVerdict(verdict),
    where,
  ]
}

function toVerdict({ problems: [problem] }: SandboxMail['verdict']): string {
  return problem === undefined ? 'accepted' : `250, then error ${problem.errorCode}`
}

function depthOf(level: FieldOrigin['level']): number {
  return Number(/^context\[(\d+)\]$/.exec(level)?.[1] ?? -1)
}

function nameLevel(
  level: FieldOrigin['level'] | undefined,
  outermost: number,
  outermostName: string,
): string {
  // The plugin cannot see the transporter's defaults: a value without any other origin comes from them.
  if (level === undefined) return 'defaults'
  if (level === 'postmark' || level === 'headers') return 'message'
  const depth = depthOf(level)
  if (depth < 0) return level
  return depth === outermost ? outermostName : 'route'
}

if (process.argv[1] === import.meta.filename) await main(console.log)
