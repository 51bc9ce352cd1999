# tests/contract/standin.py - SPDX-License-Identifier: Apache-2.0
"""Start, stop and drive the stand-in Central (see standin.c).

    with StandIn('--seed-bulk', '1000') as c:
        i = c.create('household', seed=1)['id']
        c.script({'match': '/Submissions', 'action': {'cut': 1000}})
        ... run the program under test against c.url ...
        truth = c.state('household')['live']

Every control command is a method; keyword arguments are its JSON body.
"""
import http.client
import json
import os
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'harness'))
import clean  # noqa: E402,F401  # pylint: disable=unused-import

USER = 'sync-bot@example.org'
NOBODY = 'nobody@example.org'
ADMIN = 'admin@example.org'
PASSWORD = 'standin-secret'


class ControlError(Exception):
    """The stand-in refused a command."""


def find_binary():
    """The program: from the environment, or in the build tree."""
    name = os.environ.get('ODKS_STANDIN')
    if name:
        return name
    here = os.path.dirname(os.path.abspath(__file__))
    build = os.environ.get('abs_top_builddir') or os.environ.get(
        'top_builddir') or '.'
    for place in (here, os.path.join(build, 'tests', 'contract'), build,
                  os.path.join(here, '..', '..', 'build', 'tests',
                               'contract')):
        path = os.path.join(place, 'central-standin')
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError('central-standin (set ODKS_STANDIN)')


class StandIn:
    """One running stand-in; a context manager."""

    user = USER
    nobody = NOBODY
    admin = ADMIN
    password = PASSWORD

    def __init__(self, *options, tls=None, binary=None):
        self.options = list(options)
        self.tls = tls
        self.binary = binary or find_binary()
        self.process = None
        self.port = None

    @property
    def url(self):
        return '%s://127.0.0.1:%d' % ('https' if self.tls else 'http',
                                      self.port)

    def start(self):
        args = [self.binary, '--port', '0', '--die-with-parent']
        if self.tls:
            args += ['--tls'] + list(self.tls)
        self.process = subprocess.Popen(args + self.options,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().split()
        if len(line) != 2 or line[0] != 'port':
            self.process.wait()
            raise RuntimeError('the stand-in did not start')
        self.port = int(line[1])
        return self

    def stop(self):
        """End it; returns the exit status."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        self.process = None
        return status

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    # -- talking to it -------------------------------------------------

    def request(self, method, path, body=None, headers=None, timeout=60):
        """(status, headers, bytes) of one exchange, nothing followed."""
        if self.tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            c = http.client.HTTPSConnection('127.0.0.1', self.port,
                                            timeout=timeout, context=context)
        else:
            c = http.client.HTTPConnection('127.0.0.1', self.port,
                                           timeout=timeout)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            return r.status, r.headers, r.read()
        finally:
            c.close()

    def control(self, command, body=None):
        status, _, data = self.request(
            'POST', '/_control/' + command, json.dumps(body or {}),
            {'Content-Type': 'application/json'})
        answer = json.loads(data)
        if status != 200:
            raise ControlError('%s: %s' % (command, answer.get('message')))
        return answer

    def login(self, user=USER, password=PASSWORD):
        status, _, data = self.request(
            'POST', '/v1/sessions',
            json.dumps({'email': user, 'password': password}),
            {'Content-Type': 'application/json'})
        if status != 200:
            raise ControlError('login: %d' % status)
        return json.loads(data)['token']

    # -- submissions ---------------------------------------------------

    def create(self, form, **args):
        """id, data, seed, count, submissionDate, hold, reviewState,
        deviceId, submitterId, status, plain -> {'ids': [...], 'id': ...}"""
        return self.control('create', dict(args, form=form))

    def edit(self, form, id, **args):
        """data or seed; hold; instanceId"""
        return self.control('edit', dict(args, form=form, id=id))

    def review(self, form, id, state, **args):
        return self.control('review', dict(args, form=form, id=id,
                                           state=state))

    def delete(self, form, id, **args):
        return self.control('delete', dict(args, form=form, id=id))

    def restore(self, form, id, **args):
        return self.control('restore', dict(args, form=form, id=id))

    def purge(self, form, id=None):
        """One, or without id all that are in the trash."""
        return self.control('purge', {'form': form, 'id': id} if id
                            else {'form': form})

    def attach(self, form, id, **args):
        """name (default: the first missing), content or base64"""
        return self.control('attach', dict(args, form=form, id=id))

    def release(self, form, id=None):
        """Commit what was held."""
        return self.control('release', {'form': form, 'id': id} if id
                            else {'form': form})

    # -- forms ---------------------------------------------------------

    def publish(self, form, version, fields, **args):
        """A new version, or a new form (project, name, encrypted);
        xml: its XForm."""
        return self.control('publish', dict(args, form=form, version=version,
                                            fields=fields))

    def close(self, form, state='closed', **args):
        return self.control('close', dict(args, form=form, state=state))

    def delete_form(self, form, **args):
        return self.control('delete-form', dict(args, form=form))

    def restore_form(self, form):
        return self.control('restore-form', {'form': form})

    # -- datasets ------------------------------------------------------

    def dataset(self, name, properties, **args):
        """A new one, or its properties from now on."""
        return self.control('publish', dict(args, dataset=name,
                                            properties=properties))

    def entity(self, dataset, command='create', id=None, **args):
        """create: data (label and properties), id, count, createdAt, hold;
        update: data, conflict, hold; resolve; delete: hold; restore: bulk
        (then no date tells of it); purge (all of the trash)"""
        if id is not None:
            args['id'] = id
        return self.control(command, dict(args, dataset=dataset))

    def entities(self, dataset, **args):
        """The truth: {'form', 'live', 'deleted', 'held'}."""
        return self.control('state', dict(args, dataset=dataset))

    # -- the server ----------------------------------------------------

    def clock(self, **args):
        """set ISO [run], advance SECONDS, real -> {'now': ISO}"""
        return self.control('clock', args)

    def config(self, **args):
        """rate, latency, gzip, domain, etag, oneTag, entityDeletedAt"""
        return self.control('config', args)

    def expire_tokens(self):
        return self.control('expire-tokens')

    def state(self, form, **args):
        """The truth: {'form', 'live', 'deleted', 'held'}."""
        return self.control('state', dict(args, form=form))

    def requests(self):
        """Since the last call: {'requests', 'total', 'logins'}."""
        return self.control('requests')

    def script(self, *rules, clear=False):
        """Rules: {'match', 'end', 'times', 'skip', 'action': {...}}."""
        return self.control('script', {'rules': list(rules),
                                       'clear': clear})

    def reset(self):
        return self.control('reset')


def main():
    """Run one by hand until interrupted."""
    with StandIn(*sys.argv[1:]) as c:
        print(c.url, flush=True)
        try:
            while c.process.poll() is None:
                time.sleep(0.2)
        except KeyboardInterrupt:
            pass


if __name__ == '__main__':
    main()
