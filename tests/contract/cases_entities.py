# tests/contract/cases_entities.py - SPDX-License-Identifier: Apache-2.0
"""Datasets: what a row of an entity says, what it does not, and when."""
import json
from urllib.parse import quote, urlsplit

from sample import FORBIDDEN, NOT_FOUND, STAMP

PROPERTIES = ['first_name', 'home-town', 'geometry']
SYSTEM = ['createdAt', 'creatorId', 'creatorName', 'updates', 'updatedAt',
          'deletedAt', 'version', 'conflict']
BOTH = '(__system/deletedAt eq null or __system/deletedAt ne null)'


class EntityCases:
    def dataset_url(self, rest=''):
        return '/v1/projects/%d/datasets/%s%s' % (self.args.project,
                                                  self.people, rest)

    def entities(self, **options):
        query = '&'.join('$%s=%s' % (k, quote(str(v), safe="*,()':/$"))
                         for k, v in options.items())
        return self.get(self.dataset_url('.svc/Entities')
                        + ('?' + query if query else ''))

    def entity(self, uuid, deleted=False):
        f = "__id eq '%s'" % uuid
        if deleted:
            f += ' and __system/deletedAt ne null'
        found = self.entities(filter=f).json['value']
        return found[0] if found else None

    def trash(self):
        return {e['uuid']: e['deletedAt'] for e in self.get(
            self.dataset_url('/entities?deleted=true')).json}

    def test_datasets(self):
        self.make.dataset(self.people, PROPERTIES)
        a = self.get(self.dataset_url())
        self.eq((a.status, a.json['name']), (200, self.people), 'a dataset')
        self.eq([(p['name'], p['odataName']) for p in a.json['properties']],
                [('first_name', 'first_name'), ('home-town', 'home_town'),
                 ('geometry', 'geometry')], 'its properties, in two names')
        self.ok('Date' in a.headers, 'the clock of the server comes along')
        names = [d['name'] for d in self.get(
            '/v1/projects/%d/datasets' % self.args.project).json]
        self.ok(self.people in names, 'it is listed', names)
        a = self.get(self.dataset_url('.svc'))
        self.eq(a.json['value'], [{'name': 'Entities', 'kind': 'EntitySet',
                                   'url': 'Entities'}], 'its service')
        for path in ('/datasets/ct_none', '/datasets/ct_none.svc/Entities',
                     '/datasets/ct_none/entities?deleted=true'):
            a = self.get('/v1/projects/%d%s' % (self.args.project, path))
            self.eq((a.status, a.json), (404, NOT_FOUND), 'no %s: 404' % path)

    def test_dataset_rights(self):
        token = self.client.login(*self.make.nobody).json['token']
        bearer = {'Authorization': 'Bearer ' + token}
        for path in ('', '.svc', '.svc/Entities', '/entities?deleted=true'):
            a = self.client.request('GET', self.dataset_url(path), None,
                                    bearer)
            self.eq((a.status, a.json), (403, FORBIDDEN),
                    'no rights on a dataset%s: 403' % path)

    def test_entities(self):
        for n in range(4):
            self.people_ids.append(self.make.entity(
                self.people, 'L%d' % n, {'first_name': 'F%d' % n,
                                         'geometry': '50 14 2 3'}))
        a = self.entities()
        self.ok(a.etag is None, 'the feed of entities has no tag', a.etag)
        self.eq([r['__id'] for r in a.json['value']],
                self.people_ids[::-1], 'all in one response, newest first')
        self.ok('@odata.nextLink' not in a.json and '@odata.context' in a.json,
                'a context, and no next link', a.json.keys())
        r = a.json['value'][0]
        self.eq(list(r), ['__id', 'label', '__system', 'first_name',
                          'home_town', 'geometry'], 'the keys of a row')
        self.eq(list(r['__system']), SYSTEM,
                'the keys of __system')
        s = r['__system']
        self.ok(STAMP.match(s['createdAt']) and s['updatedAt'] is None
                and (s['updates'], s['version'], s['conflict']) == (0, 1, None)
                and isinstance(s['creatorId'], str), '__system of a new one',
                s)
        self.eq((r['label'], r['first_name'], r['home_town'], r['geometry']),
                ('L3', 'F3', '', '50 14 2 3'),
                'values are text, "" where there is none')
        a = self.entities(top=0, count='true').json
        self.eq((a['value'], a['@odata.count']), ([], 4), 'a count alone')
        self.ok('@odata.nextLink' in a, 'with a next link of no use', a)

    def test_entity_options(self):
        one, two = self.people_ids[:2]
        created = self.entity(two)['__system']['createdAt']
        both = "(__id eq '%s' or __id eq '%s')" % (one, two)
        self.eq(len(self.entities(filter=both).json['value']), 2,
                '$filter by ids')
        self.eq([r['__id'] for r in self.entities(
            filter='__system/createdAt lt ' + created).json['value']], [one],
                '$filter by date')
        a = self.entities(select='__id,__system/createdAt', top=1, skip=1,
                          orderby='__system/createdAt asc',
                          filter='__system/deletedAt eq null').json
        self.eq(a['value'], [{'__id': two,
                              '__system': {'createdAt': created}}],
                '$select, $orderby, $top and $skip')
        for what, answer in (('__id,__system', 200), ('home-town', 200),
                             ('__system/deletedAt', 200), ('home_town', 400.23),
                             ('label', 400.23), ('__system/version', 400.23)):
            a = self.entities(select=what)
            self.eq(a.code if a.status != 200 else 200, answer,
                    '$select=' + what)
        self.eq(list(self.entities(select='__id,__system').json['value'][0]),
                ['__id', '__system'], '$select gives what it names')
        for f in ("first_name eq 'F1'", '__system/submissionDate eq null'):
            self.eq(self.entities(filter=f).code, 501.5, '$filter=' + f)

    def test_entity_pages(self):
        """Of entities in the order of their ids; of others pages skip some."""
        seen, link = [], self.dataset_url('.svc/Entities?$top=3')
        while link is not None:
            a = self.get(link).json
            seen += [r['__id'] for r in a['value']]
            link = a.get('@odata.nextLink')
            if link is not None:
                u = urlsplit(link)
                link = u.path + '?' + u.query
        self.eq(seen, self.people_ids[::-1], 'pages')

    def test_entity_life(self):
        one, two = self.people_ids[:2]
        since = self.entities().json['value'][0]['__system']['createdAt']

        def changed(field):
            return [r['__id'] for r in self.entities(
                filter='__system/%s ge %s' % (field, since)).json['value']]
        self.make.update_entity(self.people, one, {'first_name': 'new'})
        r = self.entity(one)
        s = r['__system']
        self.ok((s['version'], s['updates']) == (2, 1)
                and STAMP.match(s['updatedAt']), 'update: version, updatedAt',
                s)
        self.eq((r['first_name'], r['geometry']), ('new', '50 14 2 3'),
                'update: the rest stays')
        self.eq(changed('updatedAt'), [one], 'update: by date')
        self.make.delete_entity(self.people, two)
        self.ok(self.entity(two) is None, 'delete: not in the feed')
        r = self.entity(two, True)
        self.ok(r is not None and STAMP.match(r['__system']['deletedAt'])
                and r['__system']['updatedAt'] is None,
                'delete: in the trash, with its date', r)
        self.eq(len(self.entities(filter=BOTH).json['value']), 4,
                'delete: live and deleted in one response')
        self.eq(self.entities(
            select='__id,__system/createdAt,__system/deletedAt',
            filter='__system/deletedAt ne null').json['value'],
            [{'__id': two, '__system': {
                k: r['__system'][k] for k in ('createdAt', 'deletedAt')}}],
            'delete: $select gives the date')
        self.eq(changed('deletedAt'), [two], 'delete: by date')
        at = self.trash()
        self.eq(at, {two: r['__system']['deletedAt']},
                'delete: REST tells the same')
        self.eq(self.entities(top=0, count='true').json['@odata.count'], 3,
                'delete: the count')
        self.make.restore_entity(self.people, two)
        s = self.entity(two)['__system']
        self.ok(STAMP.match(s['updatedAt']) and s['version'] == 1,
                'restore: updatedAt, the same version', s)
        self.eq(self.trash(), {}, 'restore: out of the trash')
        self.make.delete_entity(self.people, two)
        self.make.restore_entity(self.people, two, bulk=True)
        self.eq(self.entity(two)['__system'], s,
                'restore in bulk: no date tells of it')

    def last_update(self):
        return self.get(self.dataset_url()).json['lastUpdate']

    def test_last_update(self):
        """It moves with all that may change rows, and with nothing else."""
        two = self.people_ids[1]
        before = self.last_update()
        self.ok(STAMP.match(before), 'a date', before)
        self.entities()
        self.trash()
        self.eq(self.last_update(), before, 'reading does not move it')
        for what, change in (
                ('create', lambda: self.make.entity(self.people, 'last', {})),
                ('update', lambda: self.make.update_entity(
                    self.people, two, {'first_name': 'again'})),
                ('delete', lambda: self.make.delete_entity(self.people, two)),
                ('restore', lambda: self.make.restore_entity(
                    self.people, two)),
                ('bulk restore', lambda: (
                    self.make.delete_entity(self.people, two),
                    self.make.restore_entity(self.people, two, bulk=True))),
                ('property', lambda: self.make.dataset(
                    self.people, PROPERTIES + ['last']))):
            change()
            now = self.last_update()
            self.ok(now > before, what + ' moves it', before, now)
            before = now

    def test_deleted_property(self):
        """Only one without values can be deleted."""
        self.make.dataset(self.people, PROPERTIES + ['brief'])
        before = self.last_update()
        self.make.delete_property(self.people, 'brief')
        a = self.get(self.dataset_url()).json
        self.ok('brief' not in [p['name'] for p in a['properties']],
                'it is no property any more', a)
        self.ok('brief' not in self.entities(top=1).json['value'][0],
                'its key is gone')
        self.ok(a['lastUpdate'] > before, 'lastUpdate moves', before)

    def test_deleted_dataset(self):
        name = self.people + '_gone'
        self.make.dataset(name, ['a'])
        self.make.delete_dataset(name)
        lists = '/v1/projects/%d/datasets' % self.args.project
        for path in ('/' + name, '/' + name + '.svc/Entities'):
            a = self.get(lists + path)
            self.eq((a.status, a.json), (404, NOT_FOUND), 'deleted: 404')
        self.ok(name not in [d['name'] for d in self.get(lists).json],
                'deleted: not listed')
        gone = [d for d in self.get(lists + '?deleted=true').json
                if d['name'] == name]
        self.ok(len(gone) == 1 and STAMP.match(gone[0]['deletedAt']),
                'deleted: listed as such', gone)

    def test_properties(self):
        self.make.dataset(self.people, PROPERTIES + ['late'])
        r = self.entities(top=1).json['value'][0]
        self.eq(r['late'], '', 'a new property is "" in old entities')
        self.eq(json.loads(self.get(self.dataset_url()).text)[
            'properties'][-1]['name'], 'late', 'a new property comes last')
