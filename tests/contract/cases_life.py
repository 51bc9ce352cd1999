# tests/contract/cases_life.py - SPDX-License-Identifier: Apache-2.0
"""What a change changes: dates, states, tags, columns."""
import hashlib
import re

import backend
from sample import DRIFT2, ROW, STAMP, house, sha


class LifeCases:
    def mixed(self, form, since):
        return {r['__id'] for r in self.rows(form, filter=(
            '__system/submissionDate ge {0} or __system/updatedAt ge {0}'
            ' or __system/deletedAt ge {0}').format(since))}

    def life_edit(self, form, iid):
        new = backend.new_id()
        before = self.row(form, iid)
        self.make.edit(form, '1', house(0, ('B', 'C')), iid, new)
        r = self.row(form, iid)
        s = r['__system']
        self.ok(s['edits'] == 1 and s['reviewState'] == 'edited'
                and STAMP.match(s['updatedAt']) and s['deletedAt'] is None,
                'edit: edits, updatedAt, reviewState', s)
        self.eq((r['__id'], r['meta']['instanceID'], s['submissionDate']),
                (iid, new, before['__system']['submissionDate']),
                'edit: __id and submissionDate stay, instanceID moves')
        self.eq([(p['p_name'], p['__id']) for p in r['person_details']],
                [(n, sha(iid, 'person_details#%d' % i))
                 for i, n in enumerate('BC')],
                'edit: the ids of a repeat are places, not rows')
        a = self.get('%s/submissions/%s' % (self.base(form), iid)).json
        self.eq((a['instanceId'], a['currentVersion']['instanceId'],
                 a['reviewState']), (iid, new, 'edited'),
                'REST: the submission and its current version')
        return s['updatedAt']

    def test_life(self):
        form, iid = self.nest, self.houses[2]
        tags = [self.odata(form).etag]

        def moved(what):
            tags.append(self.odata(form).etag)
            self.ok(tags[-1] != tags[-2], what + ': another tag', tags[-1])
        edited = self.life_edit(form, iid)
        moved('edit')
        self.make.review(form, iid, 'approved')
        s = self.row(form, iid)['__system']
        self.ok(s['reviewState'] == 'approved' and s['edits'] == 1
                and s['updatedAt'] > edited, 'review: state, updatedAt', s)
        moved('review')
        since = s['updatedAt']
        self.eq(self.mixed(form, since), {iid},
                'what changed since: the review')
        self.make.delete(form, iid)
        self.ok(self.row(form, iid) is None, 'delete: not in the feed')
        d = self.row(form, iid, True)['__system']
        self.ok(STAMP.match(d['deletedAt'])
                and d['updatedAt'] == s['updatedAt'],
                'delete: deletedAt, and updatedAt stays', d)
        moved('delete')
        self.eq([r['__id'] for r in self.rows(
            form, filter='__system/deletedAt ne null')], [iid],
            'the trash by $filter')
        self.ok(iid in self.mixed(form, since),
                'what changed since: live and deleted mixed')
        self.eq(self.get('%s/submissions/%s' % (self.base(form),
                                                iid)).status, 404,
                'REST: a deleted submission is 404')
        self.make.restore(form, iid)
        r = self.row(form, iid)['__system']
        self.ok(r['deletedAt'] is None and r['updatedAt'] == s['updatedAt'],
                'restore: as before the delete, no trace', r)
        moved('restore')
        x = self.get(self.base(form), X_Extended_Metadata='true').json
        self.eq(x['submissions'], len(self.houses),
                'extended metadata counts the live ones')

    def test_attachments(self):
        form, iid = self.flat, self.ids[0]
        url = '%s/submissions/%s/attachments' % (self.base(form), iid)
        self.eq(self.get(url).json, [{'name': 'a b.jpg', 'exists': False}],
                'attachments: expected, missing')
        a = self.get(url + '/a%20b.jpg')
        self.eq((a.status, a.code), (404, 404.1), 'a missing one: 404.1')
        tag = self.odata(form).etag
        self.make.attach(form, iid, 'a b.jpg', 'bytes')
        self.eq(self.get(url).json, [{'name': 'a b.jpg', 'exists': True}],
                'attachments: there')
        s = self.row(form, iid)['__system']
        self.eq((s['attachmentsPresent'], s['attachmentsExpected'],
                 s['updatedAt']), (1, 1, None),
                'attach: present, and no date moves')
        self.eq(self.odata(form).etag, tag, 'attach: the tag stays')
        a = self.get(url + '/a%20b.jpg')
        self.eq((a.body, a.etag), (b'bytes', '"%s"' % hashlib.md5(
            b'bytes').hexdigest()), 'the file, tagged with its digest')
        self.eq(self.get(url + '/a%20b.jpg',
                         If_None_Match=a.etag).status, 304,
                'the file: 304 on its tag')
        self.eq(self.get('%s/submissions/%s/attachments' % (
            self.base(form), self.ids[1])).json, [],
            'attachments: none')

    def test_drift(self):
        form, iid = self.drift, backend.new_id()
        self.make.create(form, '1', {'keep': 'k', 'num': 2, 'gone': 'g',
                                     'g': {'x': 1}, 'gp': ROW['gp'],
                                     'gt': ROW['gt']}, iid)
        was, tag = self.get(self.base(form)).json, self.odata(form).etag
        self.make.publish(form, '2', DRIFT2)
        now = self.get(self.base(form)).json
        self.ok(now['hash'] != was['hash'] and now['version'] == '2'
                and now['publishedAt'] > was['publishedAt'],
                'publish: hash, version and publishedAt', was, now)
        r = self.row(form, iid)
        self.eq({k: r[k] for k in list(r)[:4]},
                {'keep': 'k', 'num': '2', 'g': {'x': 1, 'more': None},
                 'added': None}, 'publish: old rows in the new shape')
        self.eq((r['gp'], r['gt']), ('54.25 -28.34 756.9 6.18',
                                     '2.5 1.5 3 7.1;5.5 4.5 6 8'),
                'publish: a place becomes the text that was sent')
        self.eq(r['__system']['formVersion'], '1', 'formVersion stays')
        self.eq(self.odata(form).etag, tag, 'publish: the tag stays')
        self.eq([v['version'] for v in self.get(
            self.base(form) + '/versions').json], ['2', '1'],
            'versions: newest first')
        self.eq(self.get(self.base(form) + '/versions/1/fields?odata=true')
                .json[1]['type'], 'int', 'fields of an old version')

    # -- 5: tags ---------------------------------------------------------

    def test_tags(self):
        a = self.odata(self.page)
        self.ok(re.match(r'^W/"eventhash:[0-9a-f]{32}"$', a.etag),
                'a weak tag over events', a.etag)
        for what, h in (('weak', a.etag), ('strong', a.etag[2:])):
            b = self.odata(self.page, headers={'If_None_Match': h})
            self.eq((b.status, b.body), (304, b''),
                    'If-None-Match, %s: 304' % what)
        for h in ('"x", ' + a.etag, '*'):
            b = self.odata(self.page, headers={'If_None_Match': h})
            self.eq(b.status, 200, 'If-None-Match is one tag: %s...' % h[:3])
        for what, opts in (('$select', {'select': '__id'}),
                           ('$expand', {'expand': '*'}),
                           ('$count', {'count': 'true'})):
            self.eq(self.odata(self.page, **opts).etag, a.etag,
                    'the tag does not know ' + what)
        self.ok(self.odata(self.page, top=2).etag != a.etag,
                'the tag knows $top')

    def test_tag_of_all(self):
        """Live and deleted together: the tag that covers every change."""
        form, iid = self.nest, self.houses[1]
        everything = {'filter': '__system/deletedAt eq null or'
                      ' __system/deletedAt ne null', 'select': '__id'}

        def tag():
            return self.odata(form, **everything).etag
        tags = [tag()]
        b = self.odata(form, headers={'If_None_Match': tags[0]}, **everything)
        self.eq((b.status, b.body, b.etag), (304, b'', tags[0]),
                'the tag of all: 304 without a body')
        self.eq(self.odata(form, filter=everything['filter'],
                           expand='*').etag, tags[0],
                'the tag of all does not know $expand')
        changes = [('delete', iid), ('restore', iid), ('delete', iid)]
        if self.make.can_purge:
            changes.append(('purge', iid))
        for what, one in changes:
            getattr(self.make, what)(form, one)
            tags.append(tag())
            self.ok(tags[-1] not in tags[:-1],
                    'the tag of all: another one after ' + what, tags)
        top = self.odata(form, top=0, count='true')
        self.ok('eventhash' not in (top.etag or ''),
                'a count has no such tag', top.etag)

    def test_by_date(self):
        """One instant is enough to find a submission again."""
        row = self.rows(self.page)[3]
        when = row['__system']['submissionDate']
        self.eq([r['__id'] for r in self.rows(self.page, filter=(
            '__system/submissionDate eq ' + when))], [row['__id']],
            'submissionDate eq: the very one')
        many = ' or '.join('__system/submissionDate eq '
                           + r['__system']['submissionDate']
                           for r in self.rows(self.page) * 12)
        a = self.odata(self.page, filter=many[:many.rindex(' or ')])
        self.eq((a.status, len(a.json['value'])), (200, 7),
                'more than 80 of them in one filter')

    def test_deleted_form(self):
        self.make.delete_form(self.drift)
        for path in ('', '/fields', '.svc', '.svc/Submissions'):
            a = self.get(self.base(self.drift) + path)
            self.eq((a.status, a.code), (404, 404.1),
                    'a form in the trash: 404 on X%s' % path)
        self.made.remove(self.drift)
