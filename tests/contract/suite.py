#!/usr/bin/env python3
# tests/contract/suite.py - SPDX-License-Identifier: Apache-2.0
"""What odk-sync relies on, asserted against any Central (TAP).

    suite.py                                    a stand-in of its own
    suite.py --url URL                          a stand-in that runs
    suite.py --url URL --user U --password P --project N
             --admin-user U --admin-password P  a real Central

Makes forms of its own, called ct_*, and deletes them at the end.
"""
import argparse
import sys
import time
import traceback
import uuid
from urllib.parse import quote

import backend
import standin
from cases_docs import DocsCases
from cases_entities import EntityCases
from cases_feed import FeedCases
from cases_life import LifeCases
from sample import DRIFT1, FLAT, NEST, ROW, house


class Suite(DocsCases, FeedCases, LifeCases, EntityCases):
    def __init__(self, args, client, make):
        self.args, self.client, self.make = args, client, make
        self.count = self.failed = 0
        tag = uuid.uuid4().hex[:8]
        self.flat, self.nest, self.drift, self.odd, self.page = (
            'ct_%s_%s' % (k, tag) for k in
            ('flat', 'nest', 'drift', 'odd id-1.2 ž', 'page'))
        self.people, self.people_ids = 'ct_people_' + tag, []
        self.made = []

    # -- helpers ---------------------------------------------------------

    def ok(self, good, what, *facts):
        self.count += 1
        if not good:
            self.failed += 1
        print('%sok %d - %s' % ('' if good else 'not ', self.count, what))
        if not good:
            for f in facts:
                print('#   %s' % (f if isinstance(f, str)
                                  else repr(f))[:900].replace('\n', '\\n'))

    def eq(self, have, want, what):
        self.ok(have == want, what, 'have %r' % (have,),
                'want %r' % (want,))

    def get(self, path, **headers):
        h = {'Authorization': 'Bearer ' + self.token}
        h.update({k.replace('_', '-'): v for k, v in headers.items()})
        return self.client.request('GET', path, None, h)

    def base(self, form):
        return '/v1/projects/%d/forms/%s' % (self.args.project,
                                             quote(form, safe=''))

    def odata(self, form, table='Submissions', headers=None, **options):
        query = '&'.join('$%s=%s' % (k, quote(str(v), safe="*,()':/$"))
                         for k, v in options.items())
        return self.get('%s.svc/%s%s' % (self.base(form), table,
                                         '?' + query if query else ''),
                        **(headers or {}))

    def rows(self, form, table='Submissions', **options):
        return self.odata(form, table, **options).json['value']

    def row(self, form, iid, deleted=False):
        f = "__id eq '%s'" % iid
        if deleted:
            f += (' and (__system/deletedAt eq null or __system/deletedAt'
                  ' ne null)')
        found = self.rows(form, filter=f, expand='*')
        return found[0] if found else None

    def new_form(self, form, version, fields):
        self.make.form(form, version, fields)
        self.made.append(form)

    # -- all of it ---------------------------------------------------------

    def prepare(self):
        a = self.client.login(self.args.user, self.args.password)
        if a.status != 200:
            raise RuntimeError('login: ' + a.text)
        self.token = a.json['token']
        self.new_form(self.flat, '1', FLAT)
        self.new_form(self.nest, '1', NEST)
        self.new_form(self.drift, '1', DRIFT1)
        self.new_form(self.odd, '1', ['a'])
        self.new_form(self.page, '1', ['n:int'])
        self.ids = [backend.new_id() for _ in range(3)]
        self.houses = [backend.new_id() for _ in range(3)]
        self.pages = [backend.new_id() for _ in range(7)]
        for iid, row in zip(self.ids, (ROW, {}, {'s_text': 'x'})):
            self.make.create(self.flat, '1', row, iid)
        for iid, row in zip(self.houses, (house(0), {'hh': 'none'},
                                          house(2))):
            self.make.create(self.nest, '1', row, iid)
        for n, iid in enumerate(self.pages):
            self.make.create(self.page, '1', {'n': n}, iid)
            time.sleep(0.002)

    def run(self):
        self.prepare()
        for name in ('sessions', 'session_requests', 'rights', 'not_found',
                     'form_documents', 'fields', 'service', 'closed', 'row',
                     'expand', 'tables', 'select', 'options', 'filter',
                     'paging', 'order', 'life', 'attachments', 'drift',
                     'tags', 'tag_of_all', 'by_date', 'deleted_form',
                     'datasets', 'dataset_rights', 'entities',
                     'entity_options', 'entity_pages', 'entity_life',
                     'properties', 'last_update', 'deleted_property',
                     'deleted_dataset'):
            try:
                getattr(self, 'test_' + name)()
            except Exception:
                self.ok(False, 'test_%s ran to its end' % name,
                        *traceback.format_exc().splitlines())
        for delete, one in [(self.make.delete_form, f) for f in self.made] \
                + [(self.make.delete_dataset, self.people)]:
            try:
                delete(one)
            except RuntimeError as e:
                print('# %s' % e)
        print('1..%d' % self.count)
        return 1 if self.failed else 0


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--url')
    p.add_argument('--user', default=standin.USER)
    p.add_argument('--password', default=standin.PASSWORD)
    p.add_argument('--project', type=int, default=1)
    p.add_argument('--admin-user')
    p.add_argument('--admin-password')
    args = p.parse_args()
    own = None
    if args.url is None:
        own = standin.StandIn().start()
        args.url = own.url
    try:
        client = backend.Client(args.url)
        kind = backend.Central if args.admin_user else backend.Control
        status = Suite(args, client, kind(client, args)).run()
    finally:
        if own is not None:
            own.stop()
    return status


if __name__ == '__main__':
    sys.exit(main())
