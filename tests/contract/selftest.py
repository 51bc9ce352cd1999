#!/usr/bin/env python3
# tests/contract/selftest.py - SPDX-License-Identifier: Apache-2.0
"""The stand-in does what its control API promises (TAP)."""
import gzip
import http.client
import json
import sys
import time
from urllib.parse import quote

import standin

FORMS = '/v1/projects/1/forms/'
count = failed = 0


def ok(good, what, *facts):
    global count, failed
    count += 1
    if not good:
        failed += 1
    print('%sok %d - %s' % ('' if good else 'not ', count, what))
    if not good:
        for f in facts:
            print('# %s' % repr(f)[:600])


class Reader:
    def __init__(self, c):
        self.c, self.token = c, c.login()

    def get(self, form, query='', **headers):
        """(status, headers, body, whether the message was complete)"""
        h = {'Authorization': 'Bearer ' + self.token}
        h.update({k.replace('_', '-'): v for k, v in headers.items()})
        conn = http.client.HTTPConnection('127.0.0.1', self.c.port,
                                          timeout=30)
        conn.request('GET', FORMS + quote(form) + '.svc/Submissions'
                     + ('?' + quote(query, safe='$&=*,/()\'%') if query
                        else ''), None, h)
        r = conn.getresponse()
        try:
            return r.status, r.headers, r.read(), True
        except http.client.IncompleteRead as e:
            return r.status, r.headers, e.partial, False
        finally:
            conn.close()

    def rows(self, form, query=''):
        return json.loads(self.get(form, query)[2])['value']


def misbehaviour(c, r):
    def act(action, query='$select=__id', **headers):
        c.script({'match': 'bulk', 'action': action}, clear=True)
        return r.get('bulk', query, **headers)
    whole = r.get('bulk', '$select=__id')[2]
    s = act({'status': 500})
    ok(s[0] == 500 and json.loads(s[2]) == {
        'message': 'Internal Server Error'}, 'status 500 as Central', s)
    s = act({'status': 502})
    ok(s[0] == 502 and s[1]['Content-Type'] == 'text/html',
       'status 502 as a proxy', s)
    s = act({'status': 503, 'retryAfter': '7'})
    ok((s[0], s[1]['Retry-After']) == (503, '7'), 'Retry-After, seconds')
    s = act({'status': 429, 'retryAfterDate': 30})
    ok(s[0] == 429 and s[1]['Retry-After'].endswith('GMT'),
       'Retry-After, date')
    s = act({'cut': 700})
    ok((s[0], s[3], len(s[2])) == (200, False, 700), 'cut at a byte', s)
    s = act({'cut-clean': 700})
    ok((s[0], s[3], s[2]) == (200, True, whole[:700]), 'cut-clean', s)
    t = time.time()
    s = act({'stall': [500, 0.4]})
    ok(s[2] == whole and time.time() - t >= 0.4, 'stall')
    s = act({'slow': 200000}, '$top=500&$select=__id')
    ok(s[0] == 200 and time.time() - t >= 0.1, 'slow')
    s = act({'wrongLength': 10})
    ok((s[3], s[2]) == (False, whole), 'a length that is too long')
    s = act({'wrongLength': -10})
    ok((s[3], s[2]) == (True, whole[:-10]), 'a length that is too short')
    s = act({'badJson': 3})
    try:
        json.loads(s[2])
        ok(False, 'bad JSON')
    except ValueError:
        ok(s[0] == 200, 'bad JSON')
    s = act({'html': True})
    ok((s[0], s[1]['Content-Type']) == (200, 'text/html'), 'a login page')
    s = act({'redirect': 'http://127.0.0.1:1/'})
    ok((s[0], s[1]['Location']) == (302, 'http://127.0.0.1:1/'), 'redirect')
    s = act({'pageSize': 3})
    j = json.loads(s[2])
    ok(len(j['value']) == 3 and j['@odata.nextLink'].startswith(c.url),
       'pages by the server', j)
    s = act({'pageSize': 3, 'offOriginNextlink': True})
    ok(json.loads(s[2])['@odata.nextLink'].startswith('https://elsewhere'),
       'a nextLink to elsewhere')
    s = act({'gzipBomb': 20000000})
    ok(len(s[2]) < 40000 and len(gzip.decompress(s[2])) > 19999999,
       'gzip bomb', len(s[2]))
    s = act({'expireToken': True})
    ok(s[0] == 401 and r.get('bulk')[0] == 401, 'token expires mid-run')
    r.token = c.login()
    c.config(gzip=True)
    s = act({'cutClean': 700}, Accept_Encoding='gzip')
    ok(gzip.decompress(s[2]) == whole[:700], 'cut-clean inside gzip')
    s = r.get('bulk', '$select=__id', Accept_Encoding='gzip')
    ok(gzip.decompress(s[2]) == whole and s[1]['ETag'], 'gzip')
    c.config(gzip=False)


def rules(c, r):
    c.script({'match': 'bulk', 'times': 2, 'skip': 1,
              'action': {'status': 500}}, clear=True)
    have = [r.get('bulk', '$top=1')[0] for _ in range(4)]
    ok(have == [200, 500, 500, 200], 'skip and times', have)
    c.script({'match': '$top=2', 'action': {'status': 502}},
             {'match': '*', 'action': {'status': 503}})
    have = [r.get('bulk', '$top=%d' % n)[0] for n in (1, 2, 3)]
    ok(have == [503, 502, 200], 'rules are used up in order', have)
    try:
        c.script({'match': '*', 'action': {'nonsense': 1}})
        ok(False, 'an unknown action is refused')
    except standin.ControlError:
        ok(True, 'an unknown action is refused')
    c.requests()
    r.get('bulk', '$top=1', If_None_Match='"x"')
    log = c.requests()
    ok(len(log['requests']) == 1 and log['requests'][0]['ifNoneMatch']
       == '"x"' and log['requests'][0]['status'] == 200
       and log['requests'][0]['bytes'] > 500, 'log of requests', log)


def bulk(c, r):
    full = r.rows('bulk', '$expand=*')
    ok(len(full) == 2000, 'bulk rows')
    ok(full == c.state('bulk')['live'], 'the oracle agrees with the feed')
    names = list(full[0])[:15]
    few = r.rows('bulk', '$top=50&$select=' + ','.join(names))
    ok(few == [{k: x[k] for k in names} for x in full[:50]],
       'fast and slow printer agree')
    c.edit('bulk', full[7]['__id'], seed=3)
    c.delete('bulk', full[8]['__id'])
    c.delete('bulk', full[9]['__id'])
    c.purge('bulk', full[9]['__id'])
    now = r.rows('bulk', '$expand=*')
    ok([x['__id'] for x in now] == [x['__id'] for i, x in enumerate(full)
                                    if i not in (8, 9)],
       'changed bulk rows stay in their place')
    ok(now[7]['__system']['edits'] == 1, 'an edited bulk row')
    gone = r.rows('bulk', '$filter=__system/deletedAt ne null')
    ok([x['__id'] for x in gone] == [full[8]['__id']], 'trash and purge')
    c.restore('bulk', full[8]['__id'])
    ok(len(r.rows('bulk', '$select=__id')) == 1999, 'restore')


def store(c, r):
    a = c.create('household', seed=5, count=3)['ids']
    b = c.create('household', seed=5)['id']
    rows = {x['__id']: x for x in r.rows('household')}
    ok(rows[a[0]]['hh_id'] == rows[b]['hh_id'] != rows[a[1]]['hh_id'],
       'equal seeds, equal data')
    ok(r.rows('household', '$expand=*') == c.state('household')['live'],
       'the oracle agrees with the feed')
    h = c.create('simple', hold=True,
                 submissionDate='2026-01-01T00:00:00.000Z')['id']
    x = c.create('simple', data={'s_text': 'a', 'photo': 'p.jpg'})['id']
    ok([y['__id'] for y in r.rows('simple')] == [x]
       and c.state('simple')['held'] == [h], 'a held row is not there')
    c.release('simple')
    y = r.rows('simple')[-1]
    ok((y['__id'], y['__system']['submissionDate'])
       == (h, '2026-01-01T00:00:00.000Z'), 'a late commit, dated earlier')
    ok(c.attach('simple', x)['name'] == 'p.jpg'
       and r.rows('simple')[0]['__system']['attachmentsPresent'] == 1,
       'attach')
    c.publish('files', '1', ['a:binary', 'b:binary'])
    x = c.create('files', data={'a': 'a.jpg', 'b': 'b.jpg'})['id']
    c.publish('files', '2', ['a:binary'])
    c.attach('files', x)
    ok(r.rows('files')[0]['__system']['attachmentsExpected'] == 2,
       'it expects the files of the version that it was sent for')
    c.create('secret')
    s = c.state('secret')['live'][0]
    ok(list(s) == ['__id', '__system'] and s['__system']['status']
       == 'notDecrypted', 'an encrypted row', s)
    c.create('collide', data={'a_b': '1', 'r_1': [{'x': '2'}]})
    s = c.state('collide')['live'][0]
    ok(s['a_b'] == '1' and len(s['r_1']) == 1, 'names that collide')
    ok(c.clock(set='2026-01-02T03:04:05.678Z')['now']
       == '2026-01-02T03:04:05.678Z', 'clock')
    ok(r.get('simple')[1]['Date'] == 'Fri, 02 Jan 2026 03:04:05 GMT',
       'Date follows the clock')
    r.token = c.login()
    c.clock(advance=86401)
    ok(r.get('simple')[0] == 401, 'tokens end by the clock')
    c.clock(real=True)
    r.token = c.login()


def hooks(c, r):
    c.reset()
    r.token = c.login()
    ids = c.create('simple', count=4)['ids']

    def hook(when, *commands):
        c.script({'match': 'simple.svc',
                  'action': {'hook': {when: list(commands)}}}, clear=True)
    hook('after', {'cmd': 'delete', 'form': 'simple', 'id': ids[0]})
    have = [len(r.rows('simple')) for _ in range(2)]
    ok(have == [4, 3], 'hook after', have)
    hook('before', {'cmd': 'restore', 'form': 'simple', 'id': ids[0]})
    ok(len(r.rows('simple')) == 4, 'hook before')
    hook('race', {'cmd': 'create', 'form': 'simple'})
    j = json.loads(r.get('simple', '$top=4&$count=true')[2])
    ok(j['@odata.count'] == 4 and '@odata.nextLink' not in j
       and ids[0] not in [x['__id'] for x in j['value']],
       'race: a full page, no nextLink, a row not told', j)
    hook('raceAfter', {'cmd': 'create', 'form': 'simple'})
    j = json.loads(r.get('simple', '$top=9&$count=true')[2])
    ok((j['@odata.count'], len(j['value'])) == (6, 5), 'raceAfter')
    c.reset()
    r.token = c.login()
    ok(c.state('simple')['live'] == [], 'reset')


def main():
    c = standin.StandIn('--seed-bulk', '2000').start()
    try:
        r = Reader(c)
        for part in (misbehaviour, rules, bulk, store, hooks):
            part(c, r)
    finally:
        ok(c.stop() == 0, 'ends with 0 on SIGTERM')
    print('1..%d' % count)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
