import { equal, match } from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createPostmarkTransport } from '@postmark-smtp/core'

const manifest = JSON.parse(readFileSync('node_modules/@postmark-smtp/sandbox/package.json', 'utf8'))
const npx = (...args) => execFileSync('npx', ['@postmark-smtp/sandbox', ...args], { encoding: 'utf8' })
equal(npx('--version'), `${manifest.version}\n`)
match(npx('--help'), /--port PORT/)

/** The command that npx links, without npx between it and the signals. */
const command = 'node_modules/.bin/postmark-sandbox'
const args = ['--port', '0', '--http-port', '0']

for (const signal of ['SIGINT', 'SIGTERM']) {
  const sandbox = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(sandbox, 'exit')
  let printed = ''
  const until = async (pattern) => {
    for await (const chunk of sandbox.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      printed += chunk
      if (pattern.test(printed)) return printed
    }
    throw new Error(`It ended and had printed: ${printed}`)
  }
  const [url] = /postmark\+smtp:\S+/.exec(await until(/Ctrl-C/))
  const transporter = createPostmarkTransport(url)
  const message = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Welcome', text: 'Hi' }
  await transporter.sendMail({ ...message, postmark: { tag: 'first' } })
  match(await until(/Welcome/), /sent {10}outbound {2}first {2}ann@example\.com {2}Welcome\n$/)
  // The transporter still holds its connection.
  sandbox.kill(signal)
  equal((await ended)[0], 0)
  await transporter.close()
}

const first = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
const [banner] = await once(first.stdout.setEncoding('utf8'), 'data')
const [, port] = /@127\.0\.0\.1:(\d+)/.exec(banner)
const second = spawn(command, ['--port', port, '--http-port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] })
const [[error], [code]] = await Promise.all([
  once(second.stderr.setEncoding('utf8'), 'data'),
  once(second, 'exit'),
])
equal(code, 1)
match(error, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: another process listens there`))
first.kill()
equal((await once(first, 'exit'))[0], 0)
