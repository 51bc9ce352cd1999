# tests/contract/cases_feed.py - SPDX-License-Identifier: Apache-2.0
"""The Submissions feed: rows, tables, options, filters, pages."""
import base64
import json
from urllib.parse import parse_qsl, quote, urlsplit

from sample import ROW, STAMP, SYSTEM, sha


class FeedCases:
    def test_row(self):
        a = self.odata(self.flat, filter="__id eq '%s'" % self.ids[0])
        self.ok(a.text.startswith('{"value":['), 'value comes first',
                a.text[:40])
        self.eq(list(a.json), ['value', '@odata.context'],
                'then the context, and nothing that was not asked for')
        self.ok(a.headers['Content-Type'].startswith('application/json')
                and a.headers['OData-Version'] == '4.0'
                and a.headers['Transfer-Encoding'] == 'chunked'
                and 'Date' in a.headers, 'headers of a feed',
                str(a.headers))
        self.eq(a.headers['Cache-Control'], 'private, no-cache',
                'Cache-Control')
        r = a.json['value'][0]
        self.eq({k: r[k] for k in ROW}, ROW, 'values of every type')
        self.eq(list(r), list(ROW) + ['meta', '__id', '__system'],
                'order of the keys')
        self.eq(list(r['__system']), SYSTEM, 'keys of __system')
        s = r['__system']
        self.ok(STAMP.match(s['submissionDate']) and s['updatedAt'] is None
                and s['deletedAt'] is None and s['edits'] == 0
                and s['formVersion'] == '1' and s['reviewState'] is None
                and s['attachmentsExpected'] == 1
                and s['attachmentsPresent'] == 0
                and isinstance(s['submitterId'], str), '__system of a new'
                ' submission', s)
        self.eq(r['meta'], {'instanceID': self.ids[0],
                            'instanceName': None}, 'meta')
        empty = self.row(self.flat, self.ids[1])
        self.ok(all(empty[k] is None for k in ROW),
                'missing elements are null, not absent', empty)

    def test_expand(self):
        iid = self.houses[0]
        r = self.row(self.nest, iid)
        q = quote(iid, safe='')
        self.eq(list(r), ['hh', 'a_b', 'Location', 'grp_rep', 'Name', 'name',
                          'meta', '__id', '__system',
                          'person_details@odata.navigationLink',
                          'person_details'], 'repeats come last')
        self.eq(r['person_details@odata.navigationLink'],
                "Submissions('%s')/person_details" % q, 'navigation link')
        p = r['person_details']
        self.eq([x['__id'] for x in p],
                [sha(iid, 'person_details#%d' % i) for i in range(3)],
                '__id of an iteration: digest of its place')
        self.eq(p[2]['visits'][1]['__id'],
                sha(iid, 'person_details#2', 'visits#1'),
                '__id of an inner iteration')
        self.eq(list(r['grp_rep']), ['note', 'asset@odata.navigationLink',
                                     'asset'], 'a repeat in a group')
        self.eq(r['grp_rep']['asset'],
                [{'kind': 'k', 'qty': 3,
                  '__id': sha(iid, 'grp_rep#', 'asset#0')}],
                '__id through a group')
        self.eq(p[1]['visits@odata.navigationLink'],
                "Submissions('%s')/person_details('%s')/visits"
                % (q, p[1]['__id']), 'navigation link of an iteration')
        self.ok('visits' not in p[0]
                and 'visits@odata.navigationLink' not in p[0],
                'no iterations: neither key', p[0])
        self.ok(not any(k.startswith('__Submissions') for k in p[0]),
                'no parent id in expanded rows', p[0])
        r = self.rows(self.nest, filter="__id eq '%s'" % iid)[0]
        self.ok('person_details' not in r
                and 'person_details@odata.navigationLink' in r,
                'without $expand only the link', list(r))
        bare = self.row(self.nest, self.houses[1])
        self.ok(not [k for k in bare if k.startswith('person_details')]
                and list(bare['grp_rep']) == ['note'],
                'a row without repeats', bare)

    def test_tables(self):
        iid = self.houses[0]
        f = "$root/Submissions/__id eq '%s'" % iid
        p = self.rows(self.nest, 'Submissions.person_details', filter=f)
        self.eq([x['p_name'] for x in p], ['A', 'B', 'C'],
                'table of a repeat')
        self.eq((p[0]['__Submissions-id'], p[0]['__id']),
                (iid, sha(iid, 'person_details#0')), 'its ids')
        v = self.rows(self.nest, 'Submissions.person_details.visits',
                      filter=f)
        self.eq([(x['__Submissions-person_details-id'], list(x)) for x in v],
                [(sha(iid, 'person_details#%d' % i),
                  ['v_date', 'v_cost', '__id',
                   '__Submissions-person_details-id'])
                 for i in (1, 2, 2)], 'table of a repeat in a repeat')
        g = self.rows(self.nest, 'Submissions.grp_rep.asset', filter=f)
        self.eq([x['__Submissions-id'] for x in g], [iid],
                'table of a repeat in a group')
        a = self.odata(self.nest, 'Submissions.person_details',
                       filter="__id eq 'x'")
        self.eq((a.status, a.code), (501, 501.5),
                'a table filters only by $root/Submissions')
        a = self.odata(self.nest, 'Submissions.person_details', top=2,
                       count='true').json
        self.eq((len(a['value']), a['@odata.count']), (2, 6),
                'a table counts its own rows')
        n = urlsplit(a['@odata.nextLink'])
        token = dict(parse_qsl(n.query))['$skiptoken']
        self.eq(json.loads(base64.b64decode(token[2:])),
                {'repeatId': a['value'][1]['__id']}, 'cursor of a table')
        b = self.get(n.path + '?' + n.query).json['value']
        self.eq(len(b), 2, 'a table goes on after its cursor')
        bad = '01' + base64.b64encode(b'{"repeatId":"nope"}').decode()
        a = self.odata(self.nest, 'Submissions.person_details',
                       skiptoken=bad)
        self.eq((a.status, a.code), (400, 400.34),
                'a cursor that is gone: 400.34')

    def test_select(self):
        f = "__id eq '%s'" % self.houses[0]

        def pick(what):
            return self.rows(self.nest, filter=f, select=what)[0]
        self.eq(pick('__id'), {'__id': self.houses[0]}, '$select=__id')
        self.eq(list(pick('__id,__system')['__system']), SYSTEM,
                '$select=__id,__system')
        self.eq(list(pick('__system/updatedAt,name,hh')),
                ['hh', 'name', '__system'],
                '$select keeps the order of the form')
        self.eq(pick('Location/address/zip_code'),
                {'Location': {'address': {'zip_code': '1'}}},
                '$select of a nested field')
        self.eq(pick('a_b'), {'a_b': 'hyphen'}, '$select is sanitised')
        self.eq(list(pick('person_details')),
                ['person_details@odata.navigationLink'],
                '$select of a repeat')
        for bad in ('nope', 'a-b'):
            a = self.odata(self.nest, select=bad)
            self.eq((a.status, a.json), (400, {
                'message': "Could not find a property named '%s'" % bad,
                'code': 400.23, 'details': {'property': bad}}),
                '$select=%s: 400.23' % bad)
        a = self.odata(self.nest, select='__id', expand='*')
        self.eq((a.status, a.code), (501, 501.11), '$select and $expand')

    def test_options(self):
        for opts, status, code in (
                ({'expand': 'person_details'}, 501, 501.6),
                ({'apply': 'x'}, 501, 501.1), ({'top': 'abc'}, 400, 400.11),
                ({'top': '9' * 20}, 400, 400.22), ({'top': -1}, 500, None),
                ({'skip': -1}, 500, None), ({'format': 'xml'}, 406, 406.1),
                ({'skiptoken': 'xyz'}, 400, 400.35),
                ({'skiptoken': '01xyz'}, 400, 400.35)):
            a = self.odata(self.flat, **opts)
            self.eq((a.status, a.code), (status, code),
                    'refused: %s' % opts)
        a = self.get(self.base(self.flat) + '.svc/Submissions?foo=bar')
        self.eq((a.status, a.code), (501, 501.1), 'refused: ?foo=bar')
        a = self.odata(self.flat, headers={'Accept': 'application/xml'})
        self.eq((a.status, a.code), (406, 406.1), 'refused: Accept XML')
        a = self.odata(self.flat, top=0, count='true')
        self.ok(a.json['value'] == [] and 'eventhash' not in a.etag
                and a.json['@odata.count'] == len(self.ids)
                and '@odata.nextLink' not in a.json,
                '$top=0 with $count: the count only', a.text)
        self.eq(len(self.rows(self.flat, top='1.7')), 1, '$top=1.7 is 1')
        self.eq(len(self.rows(self.flat, top=10 ** 12)), len(self.ids),
                'a huge $top')

    def filter_count(self, text, form=None):
        a = self.odata(form or self.flat, filter=text, top=0, count='true')
        return a.json.get('@odata.count', (a.status, a.code)), a

    def test_filter(self):
        n, i = len(self.ids), self.ids[0]
        for text, want in (
                ("__id eq '%s'" % i, 1), ("__id ne '%s'" % i, n - 1),
                ("__id eq '%s' or __id eq '%s'" % (i, self.ids[1]), 2),
                ("__id eq '%s' and __id eq 'x' or __id eq '%s'" % (i, i), 1),
                ("__id eq '%s' or __id eq 'x' and __id eq 'y'" % i, 1),
                ("not (__id eq '%s')" % i, n - 1),
                ("not __id eq '%s'" % i, n - 1),
                ("( __id  eq '%s' )" % i, 1), ("__id eq 'it''s'", 0),
                ('__system/submissionDate ge 2020-01-01', n),
                ('__system/submissionDate lt 2020-01-01T00:00:00Z', 0),
                ('__system/submissionDate gt 2020-01-01T00:00:00.123456Z',
                 n),
                ('__system/submissionDate gt 2020-01-01T01:00:00.000+01:00',
                 n),
                ("__system/submissionDate ge '2020-01-01T00:00:00Z'", n),
                ('2020-01-01 lt __system/submissionDate', n),
                ('__system/updatedAt eq null', n),
                ('__system/updatedAt ne null', 0),
                ('__system/updatedAt ge 2020-01-01', 0),
                ('not (__system/updatedAt ge 2020-01-01)', 0),
                ("__system/reviewState ne 'approved'", n),
                ('__system/submitterId ne null', n),
                ('$root/Submissions/__system/submissionDate ge 2020-01-01',
                 n),
                ('year(__system/submissionDate) gt 2000', n),
                ('__system/deletedAt eq null', n),
                ('1 eq 1', n)):
            have, a = self.filter_count(text)
            self.ok(have == want, '$filter=%s: %d' % (
                text.replace(i, 'ID'), want), have, a.text)
        for text, status, code in (
                ("hh eq 'x'", 501, 501.5),
                ('__system/edits gt 0', 501, 501.5),
                ("__system/status eq null", 501, 501.5),
                ("__id eq 'a' or hh eq 'b'", 501, 501.5),
                ("contains(__id,'a')", 501, 501.4),
                ('__system/submitterId add 1 eq 6', 501, 501.4),
                ('true', 501, 501.4), ('', 400, 400.18),
                ('__system/submissionDate gt', 400, 400.18),
                ('__system/submissionDate ge 2026-11-23T16:15:30', 400,
                 400.18),
                ("__id in ('a','b')", 400, 400.18),
                ("__system/submissionDate ge 'garbage'", 500, None),
                ('__system/submissionDate lt now()', 500, None),
                ("__system/submitterId eq 'abc'", 400, 400.11)):
            a = self.odata(self.flat, filter=text)
            self.eq((a.status, a.code), (status, code),
                    '$filter=%s: %s' % (text, code or status))
        for text, reason in (('', 'Fail at 0'),
                             ('__id eq', 'Unexpected character at 4'),
                             ("__id eq 'x' foo",
                              'Unexpected character at 11')):
            a = self.odata(self.flat, filter=text)
            self.eq(a.json.get('details'), {'reason': reason},
                    'where it fails: %r' % text)

    def test_paging(self):
        everything = [r['__id'] for r in self.rows(self.page)]
        self.eq(everything, self.pages[::-1], 'newest first')
        a = self.odata(self.page, top=3, count='true', select='__id')
        links, seen = [], [r['__id'] for r in a.json['value']]
        self.eq(a.json['@odata.count'], 7, '$count with $top: all rows')
        while '@odata.nextLink' in a.json:
            links.append(a.json['@odata.nextLink'])
            u = urlsplit(links[-1])
            a = self.get(u.path + '?' + u.query)
            seen += [r['__id'] for r in a.json['value']]
            self.eq(a.json['@odata.count'], 7, 'the count stays: all rows')
        self.eq((seen, len(links)), (everything, 2),
                'pages by nextLink: every row once')
        token = '01' + base64.b64encode(
            json.dumps({'instanceId': everything[2]},
                       separators=(',', ':')).encode()).decode()
        u = urlsplit(links[0])
        self.eq(u.path + '?' + u.query,
                '%s.svc/Submissions?%%24top=3&%%24count=true&%%24select='
                '__id&%%24skiptoken=%s'
                % (self.base(self.page), quote(token, safe='')),
                'the text of a nextLink')
        a = self.odata(self.page, top=7)
        self.ok('@odata.nextLink' not in a.json,
                'a page that is exactly full and the last: no nextLink')
        a = self.odata(self.page, top=5, skip=100, count='true').json
        self.ok(a['value'] == [] and '@odata.nextLink' in a,
                '$skip past the end: no rows, yet a nextLink', a)
        u = urlsplit(a['@odata.nextLink'])
        self.ok('skip=' not in u.query, 'a nextLink drops $skip', u.query)
        b = self.get(u.path + '?' + u.query).json
        self.ok(b['value'] == [] and '@odata.nextLink' not in b,
                'which leads to nothing', b)
        gone = '01' + base64.b64encode(b'{"instanceId":"nope"}').decode()
        a = self.odata(self.page, top=2, skiptoken=gone, count='true').json
        self.ok(a['value'] == [] and '@odata.nextLink' not in a
                and a['@odata.count'] == 7,
                'a cursor that is gone: silence, but for the count', a)

    def test_order(self):
        def ids(by):
            return [r['__id'] for r in self.rows(
                self.page, orderby=by, select='__id')]
        self.eq(ids('__system/submissionDate asc'), self.pages,
                '$orderby submissionDate asc')
        self.eq(ids('__system/submissionDate desc'), self.pages[::-1],
                '$orderby submissionDate desc')
        self.eq(ids('__id'), sorted(self.pages), '$orderby __id')
        self.make.review(self.page, self.pages[3], 'approved')
        self.eq(ids('__system/updatedAt desc')[0], self.pages[3],
                '$orderby desc: null last')
        self.eq(ids('__system/updatedAt asc')[-1], self.pages[3],
                '$orderby asc: null first')
        self.eq(ids('__system/updatedAt asc,__system/submissionDate asc'),
                self.pages[:3] + self.pages[4:] + [self.pages[3]],
                '$orderby by two keys')
        for by in ('hh', '__system/edits', '__id sideways'):
            a = self.odata(self.page, orderby=by)
            self.eq((a.status, a.code), (501, 501.5),
                    '$orderby=%s: 501.5' % by)
        a = self.odata(self.page, orderby='__id', top=2)
        u = urlsplit(a.json['@odata.nextLink'])
        a = self.get(u.path + '?' + u.query)
        self.eq((a.status, a.code), (501, 501.1),
                'the nextLink of an ordered page is refused')
