# tests/contract/backend.py - SPDX-License-Identifier: Apache-2.0
"""Two ways to make the same data: a real Central's API, or /_control.

Forms are lists of fields: 'name:type', {'group': [...]}, {'repeat[]': [...]}.
Data is a dict in the shape of an OData row, without __id and __system.
"""
import http.client
import json
import time
import uuid
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape


class Client:
    """HTTP to one server; a new connection for each request."""

    def __init__(self, url):
        u = urlsplit(url)
        self.https = u.scheme == 'https'
        self.host, self.port = u.hostname, u.port or (443 if self.https
                                                      else 80)

    def request(self, method, path, body=None, headers=None):
        kind = http.client.HTTPSConnection if self.https \
            else http.client.HTTPConnection
        c = kind(self.host, self.port, timeout=120)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            return Answer(r.status, r.headers, r.read())
        finally:
            c.close()

    def login(self, user, password):
        return self.request('POST', '/v1/sessions',
                            json.dumps({'email': user,
                                        'password': password}),
                            {'Content-Type': 'application/json'})


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode('utf-8')

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        try:
            return self.json.get('code')
        except ValueError:
            return None

    @property
    def etag(self):
        return self.headers.get('ETag')


def new_id():
    return 'uuid:' + str(uuid.uuid4())


def next_millisecond():
    """Dates tell no more apart: what comes now is later than what was."""
    now = time.time_ns() // 10**6
    while time.time_ns() // 10**6 == now:
        pass


class Control:
    """A stand-in."""

    name = 'stand-in'
    can_purge = True

    def __init__(self, client, args):
        self.client, self.project = client, args.project
        self.nobody = ('nobody@example.org', args.password)
        self.properties = {}

    def command(self, cmd, **body):
        next_millisecond()
        a = self.client.request('POST', '/_control/' + cmd,
                                json.dumps(body))
        if a.status != 200:
            raise RuntimeError('%s: %s' % (cmd, a.text))
        return a.json

    def form(self, form, version, fields):
        self.command('publish', form=form, version=version, fields=fields,
                     project=self.project)

    publish = form

    def create(self, form, version, data, iid):
        self.command('create', form=form, id=iid, data=data)

    def edit(self, form, version, data, iid, new):
        self.command('edit', form=form, id=iid, data=data, instanceId=new)

    def review(self, form, iid, state):
        self.command('review', form=form, id=iid, state=state)

    def delete(self, form, iid):
        self.command('delete', form=form, id=iid)

    def restore(self, form, iid):
        self.command('restore', form=form, id=iid)

    def purge(self, form, iid):
        self.command('purge', form=form, id=iid)

    def attach(self, form, iid, name, content):
        self.command('attach', form=form, id=iid, name=name, content=content)

    def set_state(self, form, state):
        self.command('close', form=form, state=state)

    def delete_form(self, form):
        self.command('delete-form', form=form)

    def dataset(self, name, properties):
        self.properties[name] = list(properties)
        self.command('publish', dataset=name, properties=properties,
                     project=self.project)

    def entity(self, dataset, label, data):
        return self.command('create', dataset=dataset,
                            data={'label': label, **data})['id']

    def update_entity(self, dataset, uuid, data):
        self.command('update', dataset=dataset, id=uuid, data=data)

    def delete_entity(self, dataset, uuid):
        self.command('delete', dataset=dataset, id=uuid)

    def restore_entity(self, dataset, uuid, bulk=False):
        self.command('restore', dataset=dataset, id=uuid, bulk=bulk)

    def delete_property(self, dataset, name):
        have = self.properties[dataset]
        have.remove(name)
        self.dataset(dataset, have)

    def delete_dataset(self, name):
        self.command('delete-form', dataset=name)


def _leaves(fields, path=''):
    """(path, name, kind, kids) of every field, depth first."""
    for f in fields:
        if isinstance(f, str):
            name, _, kind = f.partition(':')
            yield path + '/' + name, name, kind or 'string', None
        else:
            for name, kids in f.items():
                kind = 'group'
                if name.endswith('[]'):
                    name, kind = name[:-2], 'repeat'
                yield path + '/' + name, name, kind, kids


def _instance(fields):
    out = ''
    for _, name, kind, kids in _leaves(fields):
        if kids is None:
            out += '<%s/>' % name
        else:
            attr = ' jr:template=""' if kind == 'repeat' else ''
            out += '<%s%s>%s</%s>' % (name, attr, _instance(kids), name)
    return out


def _binds(fields, path):
    out = ''
    for where, _, kind, kids in _leaves(fields, path):
        if kids is not None:
            out += _binds(kids, where)
        elif kind != 'unknown':
            xml = {'select': 'string', 'selectMultiple': 'string'}
            out += '<bind nodeset="%s" type="%s"/>' % (
                where, xml.get(kind, kind))
    return out


def _body(fields, path):
    out = ''
    item = '<item><label>a</label><value>a</value></item>'
    for where, name, kind, kids in _leaves(fields, path):
        label = '<label>%s</label>' % name
        if kind == 'repeat':
            out += ('<group ref="%s">%s<repeat nodeset="%s">%s</repeat>'
                    '</group>' % (where, label, where, _body(kids, where)))
        elif kind == 'group':
            out += '<group ref="%s">%s%s</group>' % (where, label,
                                                     _body(kids, where))
        elif kind == 'binary':
            out += '<upload ref="%s" mediatype="image/*">%s</upload>' % (
                where, label)
        elif kind in ('select', 'selectMultiple'):
            tag = 'select1' if kind == 'select' else 'select'
            out += '<%s ref="%s">%s%s</%s>' % (tag, where, label, item, tag)
        else:
            out += '<input ref="%s">%s</input>' % (where, label)
    return out


def form_xml(form, version, fields):
    return ('<?xml version="1.0"?><h:html'
            ' xmlns="http://www.w3.org/2002/xforms"'
            ' xmlns:h="http://www.w3.org/1999/xhtml"'
            ' xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>%s'
            '</h:title><model><instance><data id="%s" version="%s">%s<meta>'
            '<instanceID/><instanceName/></meta></data></instance>%s<bind'
            ' nodeset="/data/meta/instanceID" type="string"'
            ' readonly="true()" jr:preload="uid"/></model></h:head><h:body>'
            '%s</h:body></h:html>'
            % (escape(form), escape(form), escape(version),
               _instance(fields), _binds(fields, '/data'),
               _body(fields, '/data')))


def _point(c, accuracy):
    alt = c[2] if len(c) > 2 else 0
    text = '%s %s' % (c[1], c[0])
    if len(c) > 2 or accuracy is not None:
        text += ' %s' % alt
    if accuracy is not None:
        text += ' %s' % accuracy
    return text


def _value(v):
    if not isinstance(v, dict):
        return escape(str(v))
    p = v.get('properties', {})
    if v['type'] == 'Point':
        return _point(v['coordinates'], p.get('accuracy'))
    ring = v['coordinates'][0] if v['type'] == 'Polygon' \
        else v['coordinates']
    acc = p.get('accuracies') or [None] * len(ring)
    return ';'.join(_point(c, a) for c, a in zip(ring, acc))


def _data(fields, data):
    out = ''
    for _, name, kind, kids in _leaves(fields):
        v = data.get(sanitised(name))
        if v is None:
            continue
        if kind == 'repeat':
            for one in v:
                out += '<%s>%s</%s>' % (name, _data(kids, one), name)
        elif kind == 'group':
            out += '<%s>%s</%s>' % (name, _data(kids, v), name)
        else:
            out += '<%s>%s</%s>' % (name, _value(v), name)
    return out


def sanitised(name):
    import re
    return re.sub('[^a-zA-Z0-9_]+', '_', re.sub('^([^a-zA-Z_])', r'_\1',
                                                name))


class Central:
    """A real one, with an account that may create forms."""

    name = 'Central'
    can_purge = False

    def __init__(self, client, args):
        self.client, self.project = client, args.project
        answer = client.login(args.admin_user, args.admin_password)
        if answer.status != 200:
            raise RuntimeError('admin login: ' + answer.text)
        self.auth = {'Authorization': 'Bearer ' + answer.json['token']}
        self.fields = {}
        mail = 'nobody-%s@example.org' % uuid.uuid4().hex[:8]
        password = uuid.uuid4().hex
        self.call('POST', '/v1/users', {'email': mail, 'password': password})
        self.nobody = (mail, password)

    def call(self, method, path, body=None, kind='application/json'):
        next_millisecond()
        headers = dict(self.auth)
        if body is not None:
            headers['Content-Type'] = kind
            if not isinstance(body, (str, bytes)):
                body = json.dumps(body)
            if isinstance(body, str):
                body = body.encode('utf-8')
        a = self.client.request(method, path, body, headers)
        if a.status >= 400:
            raise RuntimeError('%s %s: %s' % (method, path, a.text))
        return a

    def _form(self, form):
        return '/v1/projects/%d/forms/%s' % (self.project,
                                             quote(form, safe=''))

    def _sub(self, form, iid):
        return '%s/submissions/%s' % (self._form(form), quote(iid, safe=''))

    def form(self, form, version, fields):
        self.fields[form, version] = fields
        self.call('POST', '/v1/projects/%d/forms?publish=true'
                  '&ignoreWarnings=true' % self.project,
                  form_xml(form, version, fields), 'application/xml')

    def publish(self, form, version, fields):
        self.fields[form, version] = fields
        self.call('POST', self._form(form) + '/draft?ignoreWarnings=true',
                  form_xml(form, version, fields), 'application/xml')
        self.call('POST', self._form(form) + '/draft/publish')

    def _xml(self, form, version, data, iid, old=None):
        was = '<deprecatedID>%s</deprecatedID>' % escape(old) if old else ''
        return ('<data id="%s" version="%s">%s<meta><instanceID>%s'
                '</instanceID>%s</meta></data>'
                % (escape(form), escape(version),
                   _data(self.fields[form, version], data), escape(iid),
                   was))

    def create(self, form, version, data, iid, device=None):
        query = '?deviceID=' + quote(device, safe='') if device else ''
        self.call('POST', self._form(form) + '/submissions' + query,
                  self._xml(form, version, data, iid), 'text/xml')

    def edit(self, form, version, data, iid, new):
        now = self.call('GET', self._sub(form, iid)).json
        old = now['currentVersion']['instanceId']
        self.call('PUT', self._sub(form, iid),
                  self._xml(form, version, data, new, old), 'text/xml')

    def review(self, form, iid, state):
        self.call('PATCH', self._sub(form, iid), {'reviewState': state})

    def delete(self, form, iid):
        self.call('DELETE', self._sub(form, iid))

    def restore(self, form, iid):
        self.call('POST', self._sub(form, iid) + '/restore')

    def attach(self, form, iid, name, content):
        self.call('POST', self._sub(form, iid) + '/attachments/'
                  + quote(name, safe=''), content, 'image/jpeg')

    def attach_missing(self, form, iid):
        """The first attachment that is expected and missing; False: none."""
        for file in self.call('GET', self._sub(form, iid)
                              + '/attachments').json:
            if not file['exists']:
                self.attach(form, iid, file['name'], b'content')
                return True
        return False

    def set_state(self, form, state):
        self.call('PATCH', self._form(form), {'state': state})

    def delete_form(self, form):
        self.call('DELETE', self._form(form))

    def _dataset(self, name):
        return '/v1/projects/%d/datasets/%s' % (self.project, name)

    def dataset(self, name, properties):
        if self.client.request('GET', self._dataset(name), None,
                               self.auth).status == 404:
            self.call('POST', self._dataset('').rstrip('/'), {'name': name})
        have = [p['name'] for p in
                self.call('GET', self._dataset(name)).json['properties']]
        for p in properties:
            if p not in have:
                self.call('POST', self._dataset(name) + '/properties',
                          {'name': p})

    def entity(self, dataset, label, data):
        return self.call('POST', self._dataset(dataset) + '/entities',
                         {'label': label, 'data': data}).json['uuid']

    def _entity(self, dataset, uuid):
        return '%s/entities/%s' % (self._dataset(dataset), uuid)

    def update_entity(self, dataset, uuid, data):
        self.call('PATCH', self._entity(dataset, uuid) + '?force=true',
                  {'data': data})

    def delete_entity(self, dataset, uuid):
        self.call('DELETE', self._entity(dataset, uuid))

    def restore_entity(self, dataset, uuid, bulk=False):
        if bulk:
            self.call('POST', self._dataset(dataset)
                      + '/entities/bulk-restore', {'ids': [uuid]})
        else:
            self.call('POST', self._entity(dataset, uuid) + '/restore')

    def delete_property(self, dataset, name):
        self.call('DELETE', '%s/properties/%s' % (self._dataset(dataset),
                                                  name))

    def delete_dataset(self, name):
        self.call('DELETE', self._dataset(name))
