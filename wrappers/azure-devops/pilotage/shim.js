// Runs Pilotage for an Azure Pipelines task: in its image where there is Docker on Linux, else the one that is installed.
'use strict';

const { spawnSync } = require('child_process');
const { randomBytes } = require('crypto');
const fs = require('fs');
const path = require('path');

const task = require('./task.json');

const VERSION = `${task.version.Major}.${task.version.Minor}.${task.version.Patch}`;
const IMAGE = `ghcr.io/pilotage-ci/pilotage:${VERSION}`;
// What the image is told of the job. Nothing else goes in, above all no ENDPOINT_* and no SECRET_*.
const ALLOWED = /^(TF_BUILD|(BUILD|SYSTEM|AGENT|INPUT|PILOTAGE)_[A-Z0-9_]+|HTTPS?_PROXY|NO_PROXY)$/i;
const KEPT_BACK = /^(SYSTEM_ACCESSTOKEN|INPUT_CONNECTION)$/i;

function input(name) {
  return (process.env[`INPUT_${name.toUpperCase()}`] || '').trim();
}

function parameters(endpoint) {
  try {
    return JSON.parse(process.env[`ENDPOINT_AUTH_${endpoint}`] || '{}').parameters || {};
  } catch {
    throw new Error(`the authorization of service connection ${endpoint} is not JSON`);
  }
}

// A connection to GitHub keeps its token under another key for each of its schemes.
function token() {
  if (process.env.PILOTAGE_TOKEN) return process.env.PILOTAGE_TOKEN;
  const connection = input('connection');
  if (connection) {
    const found = parameters(connection);
    const key = ['accessToken', 'AccessToken', 'IdToken', 'apitoken'].find((name) => found[name]);
    if (!key) throw new Error(`service connection ${connection} holds no token that can be used`);
    return found[key];
  }
  if ((process.env.BUILD_REPOSITORY_PROVIDER || '').toLowerCase() !== 'tfsgit') return '';
  return process.env.SYSTEM_ACCESSTOKEN || parameters('SYSTEMVSSCONNECTION').AccessToken || '';
}

// One line a variable: a value of several lines cannot be one, and must not become two.
function environmentFile(secret) {
  const given = Object.entries(process.env).filter(([name]) => ALLOWED.test(name) && !KEPT_BACK.test(name));
  if (secret) given.push(['PILOTAGE_TOKEN', secret]);
  given.push(['HOME', '/tmp']);
  return given
    .filter(([, value]) => !/[\r\n\0]/.test(value))
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function run(command, args, env) {
  const done = spawnSync(command, args, { stdio: 'inherit', env });
  if (done.error) throw new Error(`${command} cannot be started: ${done.error.message}`);
  return done.status === null ? 1 : done.status;
}

// Folders have the same path inside, so that the paths in logging commands are the agent's.
function inDocker(secret) {
  const sources = process.env.BUILD_SOURCESDIRECTORY;
  const temporary = process.env.AGENT_TEMPDIRECTORY;
  if (!sources || !temporary) throw new Error('BUILD_SOURCESDIRECTORY or AGENT_TEMPDIRECTORY is not set');
  const file = path.join(temporary, `pilotage-${randomBytes(16).toString('hex')}.env`);
  fs.writeFileSync(file, environmentFile(secret), { mode: 0o600, flag: 'wx' });
  try {
    const user = `${process.getuid()}:${process.getgid()}`;
    const folders = ['-v', `${sources}:${sources}`, '-v', `${temporary}:${temporary}`, '-w', sources];
    const image = input('image') || IMAGE;
    return run('docker', ['run', '--rm', '--user', user, ...folders, '--env-file', file, image, 'ci'], process.env);
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function installed(secret) {
  const env = { ...process.env, ...(secret ? { PILOTAGE_TOKEN: secret } : {}) };
  try {
    return run('pilotage', ['ci'], env);
  } catch (error) {
    throw new Error(`${error.message}; install it in an earlier step: pip install pilotage==${VERSION}`);
  }
}

function main() {
  const runtime = input('runtime') || (process.platform === 'linux' && !process.env.AGENT_CONTAINERID ? 'docker' : 'installed');
  const secret = token();
  return runtime === 'docker' ? inDocker(secret) : installed(secret);
}

try {
  process.exitCode = main();
} catch (error) {
  const said = String(error.message).replace(/%/g, '%AZP25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
  process.stdout.write(`##vso[task.logissue type=error;]${said}\n##vso[task.complete result=Failed;]\n`);
  process.exitCode = 1;
}
