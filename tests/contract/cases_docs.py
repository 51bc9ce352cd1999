# tests/contract/cases_docs.py - SPDX-License-Identifier: Apache-2.0
"""Who may ask, and the documents about a form."""
import base64
import time
import xml.etree.ElementTree

from sample import FORBIDDEN, NO_AUTH, NOT_FOUND, STAMP


class DocsCases:
    def test_sessions(self):
        a = self.client.login(self.args.user, self.args.password)
        self.eq(a.status, 200, 'login answers 200')
        s = a.json
        self.ok(len(s['token']) == 64, 'the token has 64 characters', s)
        self.ok(all(STAMP.match(s[k]) for k in ('createdAt', 'expiresAt')),
                'the session says when it began and ends', s)
        t = [time.mktime(time.strptime(s[k][:19], '%Y-%m-%dT%H:%M:%S'))
             for k in ('createdAt', 'expiresAt')]
        self.eq(t[1] - t[0], 86400, 'a session lasts 24 hours')
        for what, user, pw in (
                ('wrong password', self.args.user, 'wrong-password'),
                ('unknown user', 'x@example.org', 'wrong-password')):
            a = self.client.login(user, pw)
            self.eq((a.status, a.json), (401, NO_AUTH), what + ': 401.2')
        bearer = {'Authorization': 'Bearer ' + s['token']}
        url = self.base(self.flat)
        a = self.client.request('DELETE', '/v1/sessions/current', None,
                                bearer)
        self.eq((a.status, a.json), (200, {'success': True}), 'logout')
        for what, h in (('logged-out token', bearer), ('no header', {}),
                        ('bad token', {'Authorization': 'Bearer xyz'})):
            a = self.client.request('GET', url, None, h)
            self.eq((a.status, a.json), (401, NO_AUTH), what + ': 401.2')
        self.ok('WWW-Authenticate' not in a.headers,
                'no WWW-Authenticate in a 401')

    def test_session_requests(self):
        js = {'Content-Type': 'application/json'}
        a = self.client.request('POST', '/v1/sessions', '{"email', js)
        self.eq((a.status, a.json), (400, {
            'message': 'Could not parse the given data (7 chars) as json.',
            'code': 400.1, 'details': {'format': 'json', 'rawLength': 7}}),
            'login with bad JSON: 400.1')
        a = self.client.request('POST', '/v1/sessions',
                                '{"email":"x@example.org"}', js)
        self.eq((a.status, a.code), (400, 400.3), 'no password: 400.3')
        if not self.client.https:
            basic = base64.b64encode(b'a:b').decode()
            a = self.client.request('GET', '/v1/projects', None,
                                    {'Authorization': 'Basic ' + basic})
            self.eq((a.status, a.code), (401, 401.3),
                    'Basic without TLS: 401.3')

    def test_rights(self):
        a = self.client.login(*self.make.nobody)
        h = {'Authorization': 'Bearer ' + a.json['token']}
        c = self.client
        url = self.base(self.flat)
        a = c.request('GET', '/v1/projects', None, h)
        self.eq((a.status, a.json), (200, []),
                'projects of nobody: an empty list')
        a = c.request('GET', url + '.svc/Submissions', None, h)
        self.eq((a.status, a.json), (403, FORBIDDEN),
                'data without rights: 403.1')
        a = c.request('GET', self.base('ct_nope') + '.svc/Submissions',
                      None, h)
        self.eq((a.status, a.json), (404, NOT_FOUND),
                'existence is looked at before rights')
        a = c.request('DELETE', url + '/submissions/' + self.ids[0], None,
                      {'Authorization': 'Bearer ' + self.token})
        self.eq((a.status, a.code), (403, 403.1), 'a viewer may not delete')
        self.eq(self.get('/v1/audits').status, 403,
                'a viewer has no audit log')
        names = [p['id'] for p in self.get('/v1/projects').json]
        self.ok(self.args.project in names, 'projects has ours', names)

    def test_not_found(self):
        for what, path in (
                ('form', self.base('ct_nope')),
                ('form data', self.base('ct_nope') + '.svc/Submissions'),
                ('project', '/v1/projects/99999/forms/x.svc/Submissions'),
                ('route', '/v1/nope'),
                ('table', self.base(self.flat) + '.svc/Submissions.nope'),
                ('$count', self.base(self.flat) + '.svc/Submissions/$count'),
                ('version', self.base(self.flat) + '/versions/x/fields')):
            a = self.get(path)
            self.eq((a.status, a.json), (404, NOT_FOUND),
                    'no such %s: 404.1' % what)
        a = self.get('/v1/projects/abc/forms')
        self.eq((a.status, a.code), (400, 400.11),
                'a project that is no number: 400.11')
        a = self.get('/projects')
        self.eq((a.status, a.code), (404, 404.2), 'no API version: 404.2')
        a = self.get(self.base(self.flat) + '.svc/Submissions?$filter='
                     + 'a' * 17000)
        self.eq((a.status, a.body), (431, b''),
                'an address over 16 kB: 431 without body')

    # -- 2: documents about a form -------------------------------------

    def test_form_documents(self):
        listed = self.get('/v1/projects/%d/forms' % self.args.project).json
        mine = [f for f in listed if f['xmlFormId'] == self.flat]
        self.eq(len(mine), 1, 'the form list has the form')
        a = self.get(self.base(self.flat))
        f = a.json
        self.eq(mine[0], f, 'the list says what the form itself says')
        self.ok(list(f)[:3] == ['projectId', 'xmlFormId', 'state']
                and f['state'] == 'open' and f['keyId'] is None
                and f['version'] == '1' and len(f['hash']) == 32
                and STAMP.match(f['publishedAt']), 'form document', f)
        self.eq(self.get(self.base(self.flat),
                         If_None_Match=a.etag).status, 304,
                'form document: 304 on its own tag')
        x = self.get(self.base(self.flat), X_Extended_Metadata='true').json
        self.ok(x['submissions'] == len(self.ids)
                and x['lastSubmission'] is not None
                and set(x['reviewStates']) == {'received', 'hasIssues',
                                               'edited'},
                'extended metadata counts submissions', x)
        a = self.get(self.base(self.odd) + '.svc')
        self.ok(a.status == 200 and self.base(self.odd) in a.text,
                'an odd form id, percent-encoded', a.text)

    def test_fields(self):
        f = self.get(self.base(self.nest) + '/fields?odata=true').json
        self.eq([x['path'] for x in f], [
            '/hh', '/a_b', '/Location', '/Location/District',
            '/Location/address', '/Location/address/zip_code',
            '/Location/address/gps', '/person_details',
            '/person_details/p_name', '/person_details/age',
            '/person_details/contact', '/person_details/contact/phone',
            '/person_details/visits', '/person_details/visits/v_date',
            '/person_details/visits/v_cost', '/grp_rep', '/grp_rep/note',
            '/grp_rep/asset', '/grp_rep/asset/kind', '/grp_rep/asset/qty',
            '/Name', '/name', '/meta', '/meta/instanceID',
            '/meta/instanceName'], 'fields: depth first, sanitised')
        raw = self.get(self.base(self.nest) + '/fields').json
        self.ok('/a-b' in [x['path'] for x in raw],
                'fields without odata=true: raw names')
        f = self.get(self.base(self.flat) + '/fields?odata=true').json
        self.eq([(x['name'], x['type']) for x in f], [
            ('s_text', 'string'), ('n_int', 'int'), ('n_dec', 'decimal'),
            ('yes', 'string'), ('multi', 'string'), ('d', 'date'),
            ('t', 'time'), ('dt', 'dateTime'), ('gp', 'geopoint'),
            ('gt', 'geotrace'), ('gs', 'geoshape'), ('bar', 'barcode'),
            ('agreed', 'boolean'), ('photo', 'binary'),
            ('meta', 'structure'), ('instanceID', 'string'),
            ('instanceName', 'unknown')], 'types of the fields')
        self.ok(f[4]['selectMultiple'] is True and f[13]['binary'] is True
                and f[0]['binary'] is None,
                'fields tell select multiple and binary', f[4], f[13])

    def test_xform(self):
        a = self.get(self.base(self.nest) + '.xml')
        self.eq((a.status, a.headers['Content-Type']),
                (200, 'application/xml; charset=utf-8'), 'the XForm is XML')
        root = xml.etree.ElementTree.fromstring(a.body)
        ns = {'h': 'http://www.w3.org/1999/xhtml',
              'x': 'http://www.w3.org/2002/xforms'}
        data = root.find('h:head/x:model/x:instance', ns)[0]
        self.eq((data.get('id'), data.get('version')), (self.nest, '1'),
                'the XForm names form and version')
        refs = {e.get('ref') for e in root.find('h:body', ns).iter()}
        self.ok({'/data/a-b', '/data/Location/address/zip.code',
                 '/data/person_details/visits/v_cost'} <= refs,
                'its names are as the author wrote them', refs)
        self.ok(root.findtext('h:head/h:title', None, ns) != '',
                'the XForm has a title')
        self.eq(self.get(self.base('ct_nope') + '.xml').status, 404,
                'no such XForm: 404')

    def test_service(self):
        s = self.get(self.base(self.nest) + '.svc')
        self.eq([t['name'] for t in s.json['value']], [
            'Submissions', 'Submissions.person_details',
            'Submissions.person_details.visits',
            'Submissions.grp_rep.asset'], 'service document: the tables')
        m = self.get(self.base(self.flat) + '.svc/$metadata')
        self.ok(m.status == 200 and 'xml' in m.headers['Content-Type'],
                '$metadata is XML', m.headers['Content-Type'])
        for name, kind in (('n_int', 'Int64'), ('n_dec', 'Decimal'),
                           ('d', 'Date'), ('dt', 'DateTimeOffset'),
                           ('gp', 'GeographyPoint'), ('agreed', 'Boolean'),
                           ('t', 'String'), ('gt', 'GeographyLineString'),
                           ('gs', 'GeographyPolygon')):
            self.ok('Name="%s" Type="Edm.%s"' % (name, kind) in m.text,
                    '$metadata: %s is %s' % (name, kind))

    def test_closed(self):
        self.make.set_state(self.odd, 'closed')
        self.eq(self.get(self.base(self.odd)).json['state'], 'closed',
                'closed: the form says so')
        self.eq(self.odata(self.odd).status, 200, 'closed: still read')
        a = self.odata(self.odd)
        self.eq((a.json['value'], a.etag),
                ([], 'W/"eventhash:%s"' % ('0' * 32)),
                'no rows: an empty list, a tag of zeros')
