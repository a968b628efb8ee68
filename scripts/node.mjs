// Runs a command line under Node 24, whichever Node started this: `node scripts/node.mjs src/cli/daypass.ts …`.
// The install brings Node 24 along as a package; not every npm links its command, so it is looked up here.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const wanted = 24

function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= wanted) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    return join(dirname(manifest), 'bin', 'node')
  } catch {
    process.stderr.write(
      `Daypass needs Node ${wanted} or newer; this is ${process.version}. The package ${name}, which would bring it, ` +
        'is not installed: run npm ci, or start this with a newer Node.\n',
    )
    process.exit(1)
  }
}

const child = spawn(findNode(), process.argv.slice(2), { stdio: 'inherit' })
// A terminal sends its signals to both; a supervisor only to this process.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
process.on('SIGINT', () => undefined)
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143)
})
