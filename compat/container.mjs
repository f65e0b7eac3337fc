/**
 * Does what an engine does with packages/sandbox/docker, without one: the steps of the Dockerfile in an empty folder,
 * with the packed tarballs; its entry point as its user, with the environment of the compose file; its health check;
 * and the application of the compose file, which sends an email over TLS that it verifies.
 * Usage: npm run build && node compat/container.mjs
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { attempt, pack, report, root, run, temporary } from './harness.mjs'

const folder = join(root, 'packages/sandbox/docker')
const container = join(temporary, 'container')
const isRoot = process.getuid() === 0
const PASSWORD = 'open sesame'

/** The instructions of the Dockerfile, in their order. */
const steps = readFileSync(join(folder, 'Dockerfile'), 'utf8')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => /^([A-Z]+) (.*)$/.exec(line).slice(1))
const stepsOf = (instruction) => steps.filter(([name]) => name === instruction).map(([, text]) => text)

/** The environment of a service of the compose file. */
function environmentOf(service) {
  const compose = readFileSync(join(folder, 'compose.yaml'), 'utf8')
  const [, text] = new RegExp(`^  ${service}:\n((?:(?: {4}.*)?\n)*)`, 'm').exec(compose)
  const [, lines] = /^ {4}environment:\n((?: {6}.*\n)*)/m.exec(text)
  return Object.fromEntries(
    [...lines.matchAll(/^ {6}(\w+): (.*)$/gm)].map(([, name, value]) => [name, inside(value)]),
  )
}

/** Paths of the container as paths of this machine. */
function inside(text) {
  return text.replace(/(?<![\w.:/])\/(?=(?:app|ca|data|run)\b)/g, `${container}/`)
}

async function build() {
  mkdirSync(join(container, 'run/secrets'), { recursive: true })
  chmodSync(temporary, 0o755)
  const tarballs = await Promise.all(['core', 'sandbox'].map(pack))
  const [workdir] = stepsOf('WORKDIR')
  const cwd = inside(workdir)
  mkdirSync(cwd)
  assert.deepEqual(stepsOf('COPY'), ['Dockerfile *.tgz ./'])
  for (const file of [join(folder, 'Dockerfile'), ...tarballs]) copyFileSync(file, join(cwd, basename(file)))
  const env = { ...process.env, PACKAGES: './*.tgz' }
  for (const command of stepsOf('RUN')) {
    // Only root may give files away.
    const own = isRoot ? command : command.replaceAll(/-o \d+ -g \d+ /g, '')
    await run('sh', ['-c', inside(own)], { cwd, env })
  }
}

/** Starts the entry point, with free ports in the place of those that the image exposes. */
async function start() {
  const [uid, gid] = stepsOf('USER')[0].split(':').map(Number)
  assert.ok(uid > 0 && gid > 0, 'the sandbox does not run as root')
  const image = stepsOf('ENV').map((text) => inside(text).split('='))
  const env = {
    ...{ PATH: process.env.PATH, ...Object.fromEntries(image), ...environmentOf('sandbox') },
    ...{ POSTMARK_SANDBOX_PORT: '0', POSTMARK_SANDBOX_HTTP_PORT: '0' },
  }
  writeFileSync(env.POSTMARK_SANDBOX_PASSWORD_FILE, PASSWORD)
  const [program, ...args] = JSON.parse(stepsOf('ENTRYPOINT')[0]).map(inside)
  const child = spawn(program, args, { env, ...(isRoot && { uid, gid }), stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (printed += text))
  while (!printed.includes('Ctrl-C')) {
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
    assert.equal(child.exitCode, null, printed)
  }
  const [, smtpPort] = /SMTP +0\.0\.0\.0:(\d+)/.exec(printed)
  const [, httpPort] = /http:\/\/127\.0\.0\.1:(\d+)/.exec(printed)
  return {
    ports: { 2525: smtpPort, 8025: httpPort },
    async call(path) {
      const Authorization = `Basic ${Buffer.from(`any:${PASSWORD}`).toString('base64')}`
      const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, {
        headers: { Authorization },
      })
      assert.equal(response.status, 200)
      return response.json()
    },
    async stop() {
      child.kill('SIGTERM')
      assert.deepEqual(await once(child, 'exit'), [0, null], printed)
    },
  }
}

const APPLICATION = `
const dns = require('node:dns')
const { lookup } = dns
// What the network of the containers does.
dns.lookup = (name, options, done) => lookup(name === 'sandbox' ? '127.0.0.1' : name, options, done)
const { createPostmarkTransport } = require('@postmark-smtp/core')
const transporter = createPostmarkTransport(process.env.POSTMARK_URL)
transporter
  .sendMail({ from: 'shop@example.com', to: 'ann@example.com', subject: 'From the application', text: 'Hi' })
  .then(() => transporter.close())
`

async function sendFromApplication({ ports }) {
  const { POSTMARK_URL, NODE_EXTRA_CA_CERTS } = environmentOf('application')
  const env = {
    ...{ PATH: process.env.PATH, NODE_EXTRA_CA_CERTS },
    POSTMARK_URL: POSTMARK_URL.replace(/\d+$/, (port) => ports[port]),
  }
  const cwd = join(container, 'application')
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'package.json'), '{ "private": true }')
  const tarball = await pack('core')
  await run('npm', ['install', '--no-audit', '--no-fund', tarball, 'nodemailer'], { cwd })
  await run('node', ['-e', APPLICATION], { cwd, env })
}

const results = [await attempt('the steps of the Dockerfile build the image', build)]
let sandbox
results.push(
  await attempt('the entry point starts as its user, and the health check finds it', async () => {
    sandbox = await start()
    const [, command] = /CMD (\[.*\])$/.exec(stepsOf('HEALTHCHECK')[0])
    const [program, ...args] = JSON.parse(command)
    const [port] = /8025/.exec(command)
    assert.deepEqual(stepsOf('EXPOSE'), [Object.keys(sandbox.ports).join(' ')])
    await run(
      program,
      args.map((arg) => arg.replace(port, sandbox.ports[port])),
    )
    await assert.rejects(
      run(
        program,
        args.map((arg) => arg.replace(port, '1')),
      ),
      { code: 1 },
    )
  }),
  await attempt('an application in another container sends with one URL and the certificate', async () => {
    await sendFromApplication(sandbox)
    const { Verdict } = await sandbox.call('/sandbox/wait?subject=From%20the%20application')
    assert.equal(Verdict.Outcome, 'sent')
  }),
  await attempt('the emails outlive the container', async () => {
    await sandbox.stop()
    sandbox = await start()
    assert.equal((await sandbox.call('/sandbox/mails')).TotalCount, 1)
    await sandbox.stop()
  }),
)
report('compat-container', results)
