import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseCommand } from './cli/command.js'
import { FLAGS, toVariable } from './cli/flags.js'
import { controlRoutes } from './http/control/control-routes.js'

const read = (name: string) => readFileSync(new URL(`../docker/${name}`, import.meta.url), 'utf8')
const image = read('Dockerfile')
const compose = read('compose.yaml')

/** The variables of image and compose file. The steps of the Dockerfile are run by compat/container.mjs. */
const variables = Object.fromEntries([
  ...[...image.matchAll(/^ENV (\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  ...[...compose.matchAll(/^ +(POSTMARK_SANDBOX_\w+): (.*)$/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]),
]) as Record<string, string>

it('the image and the compose file name variables that the command line knows, and it takes them', async () => {
  const known = Object.keys(FLAGS).map(toVariable)
  expect(Object.keys(variables).filter((name) => !known.includes(name))).toEqual([])
  expect(Object.keys(variables)).toHaveLength(5)
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-docker-'))
  const file = join(folder, 'password')
  writeFileSync(file, 'open sesame\n')
  const command = await parseCommand([], { ...variables, POSTMARK_SANDBOX_PASSWORD_FILE: file })
  expect(command).toMatchObject({
    action: 'start',
    caOut: '/ca/ca.pem',
    options: { host: '0.0.0.0', password: 'open sesame', tlsNames: ['sandbox'], data: '/data' },
  })
  rmSync(folder, { recursive: true })
})

it('the image exposes the ports that the command line listens on, and asks a route that is open', async () => {
  const { options } = await parseCommand([])
  expect(image).toContain(`\nEXPOSE ${options.port} ${options.httpPort}\n`)
  expect(compose).toContain(`- '127.0.0.1:${options.httpPort}:${options.httpPort}'`)
  expect(compose).toContain(`@sandbox:${options.port}`)
  const open = controlRoutes({} as never).filter(({ isOpen }) => isOpen)
  const [, path] = new RegExp(`http://127\\.0\\.0\\.1:${options.httpPort}(/\\w+)`).exec(image)!
  expect(open.map((route) => route.path)).toContain(path)
})

it('the image starts the bin of the package, and not as root', () => {
  const { name, bin } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  expect(image).toContain(`\nENTRYPOINT ["node", "/app/node_modules/${name}/${bin['postmark-sandbox']}"]\n`)
  expect(image.lastIndexOf('\nUSER 1000:1000\n')).toBeGreaterThan(image.lastIndexOf('\nRUN '))
})
