/**
 * Does what a reader of docs/getting-started.md does, in an empty folder for each section: writes its files, runs its
 * commands, waits for what it says is printed, and asks the sandbox for the email. It differs from the page in two
 * things: our packages are installed from the packed tarballs, and ports are free ones.
 * Usage: npm run build && node compat/getting-started.mjs [regular expression over the sections]
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { attempt, manifests, pack, report, root, temporary } from './harness.mjs'

const DEADLINE_MS = 120_000
const wanted = new RegExp(process.argv[2] ?? '')
const packing = Object.entries(manifests).map(async ([folder, { name }]) => [name, await pack(folder)])
const tarballs = Object.fromEntries(await Promise.all(packing))

/** The blocks of each section, with the line above, which names a file where there is one to write. */
function readSections() {
  const [, ...sections] = readFileSync(join(root, 'docs/getting-started.md'), 'utf8').split(/^## /m)
  return sections
    .map((section) => ({
      title: section.slice(0, section.indexOf('\n')),
      blocks: [...section.matchAll(/(?<=^(.*)\n\n)```([a-z ]+)\n([\s\S]*?)^```$/gm)].map(
        ([, above, kind, text]) => ({ kind, text, file: /^Write `(.+?)`/.exec(above)?.[1] }),
      ),
    }))
    .filter(({ blocks, title }) => blocks.length > 0 && wanted.test(title))
}

async function findFreePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return String(port)
}

/** A folder in which the blocks of a section are run, with what their programs print. */
class Terminals {
  cwd = mkdtempSync(join(temporary, 'getting-started-'))
  env = { ...process.env, NO_COLOR: '1' }
  printed = ''
  printing = new EventEmitter()
  failure = new AbortController()
  /** Ends every wait: at the deadline, or when a program fails. */
  signal = AbortSignal.any([AbortSignal.timeout(DEADLINE_MS), this.failure.signal])
  children = []

  /** Starts a block's commands in a process group of their own. */
  start(commands) {
    const child = spawn('bash', ['-ec', commands], { cwd: this.cwd, env: this.env, detached: true })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.printed += text
        this.printing.emit('text')
      })
    }
    child.once('exit', (code) => {
      if (code) this.failure.abort(new Error(`This ended with ${code}: ${commands}`))
    })
    this.children.push(child)
    return child
  }

  /** Waits until `find` finds something in what was printed. */
  async waitFor(find) {
    let found = find(this.printed)
    while (!found) {
      await once(this.printing, 'text', { signal: this.signal })
      found = find(this.printed)
    }
    return found
  }

  close() {
    for (const { pid, exitCode } of this.children) if (exitCode === null) process.kill(-pid, 'SIGTERM')
  }
}

/** The tarball of a package, and those of ours that it depends on, which no registry has. */
function withOurs(name) {
  const { dependencies = {} } = Object.values(manifests).find((manifest) => manifest.name === name)
  return [
    tarballs[name],
    ...Object.keys(dependencies)
      .filter((key) => key in tarballs)
      .flatMap(withOurs),
  ]
}

/** What a command of the page is here. */
function adapt(line, terminals) {
  if (line.startsWith('npm install') && line.includes('@postmark-smtp/')) {
    const words = line.split(' ').flatMap((word) => (word in tarballs ? withOurs(word) : [word]))
    return [...new Set(words), '--no-audit', '--no-fund', '--prefer-offline'].join(' ')
  }
  if (line === 'npx @postmark-smtp/sandbox') return `${line} --port 0 --http-port 0`
  return line.replace('localhost:3000', `127.0.0.1:${terminals.env.PORT}`)
}

/** The page names the address that the sandbox prints with its usual port. */
async function takeUrl(text, terminals) {
  const [, told] = /^export POSTMARK_URL='(.+)'$/m.exec(text) ?? []
  if (told === undefined) return text
  const url = await terminals.waitFor((printed) => /postmark\+smtp:\S+(?=\s)/.exec(printed)?.[0])
  assert.equal(told, url.replace(/:\d+\?/, ':2525?'))
  terminals.env.POSTMARK_URL = url
  return text.replace(/^export .*\n/m, '')
}

async function runBlock({ kind, text, file }, terminals) {
  if (file) {
    mkdirSync(dirname(join(terminals.cwd, file)), { recursive: true })
    writeFileSync(join(terminals.cwd, file), text)
    return
  }
  if (kind === 'text') {
    const lines = text.trim().split('\n')
    for (const line of lines) await terminals.waitFor((printed) => printed.includes(line.replace(/^… /, '')))
    return
  }
  const commands = (await takeUrl(text, terminals)).split('\n').map((line) => adapt(line, terminals))
  const child = terminals.start(commands.join('\n'))
  if (kind === 'sh background') return
  await once(child, 'exit', { signal: terminals.signal })
  terminals.signal.throwIfAborted()
}

async function follow(blocks) {
  const terminals = new Terminals()
  terminals.env.PORT = await findFreePort()
  try {
    for (const block of blocks) await runBlock(block, terminals)
    await checkMail(terminals)
  } catch (error) {
    throw new Error(`${terminals.signal.reason ?? error}\nThe terminals show:\n${terminals.printed}`)
  } finally {
    terminals.close()
  }
}

/** The email reached the sandbox, as Postmark's own API would tell it, with a tag and with metadata. */
async function checkMail({ env, printed }) {
  const [, page] = /(http:\/\/127\.0\.0\.1:\d+)/.exec(printed)
  const token = new URL(env.POSTMARK_URL).username
  const headers = { accept: 'application/json', 'x-postmark-server-token': token }
  const response = await fetch(`${page}/messages/outbound?count=10&offset=0`, { headers })
  const { Messages } = await response.json()
  assert.equal(Messages?.length, 1, `${response.status} ${JSON.stringify(Messages)}`)
  assert.ok(Messages[0].Tag.length > 0)
  assert.deepEqual(Messages[0].Metadata, { tenant: 'acme' })
}

const following = ({ title, blocks }) => attempt(`getting started: ${title}`, () => follow(blocks))
report('compat-getting-started', await Promise.all(readSections().map(following)))
