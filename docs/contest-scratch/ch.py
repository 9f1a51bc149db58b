#!/usr/bin/env python3
"""scratch: promises another suite asks for, by hand.  usage: ch.py NAME 'RUNTIME WORDS' [filter]"""
import sys,os,json,subprocess,time,shutil,tempfile,uuid,copy,re,socket,threading,array,stat,random,ctypes,fcntl
NAME=sys.argv[1]; RT=sys.argv[2].split(); FILT=sys.argv[3:] 
BASE=json.loads(open('/tmp/dump/out.txt').read().split('\nfalse\n')[0])
RTEST='/tmp/dump/target/x86_64-unknown-linux-musl/debug/rt'
libc=ctypes.CDLL(None,use_errno=True)
def sh(*a,**k): return subprocess.run(a,capture_output=True,text=True,**k)
def mount(src,dst,typ=None,flags=0,data=None):
    r=libc.mount(src and src.encode(),dst.encode(),typ and typ.encode(),ctypes.c_ulong(flags),data and data.encode())
    if r: raise OSError(ctypes.get_errno(),'mount %s %s'%(dst,os.strerror(ctypes.get_errno())))
def umount(d): return libc.umount2(d.encode(),2)
class Fail(Exception): pass
def ck(c,m='check'):
    if not c: raise Fail(m)
def spec(**k):
    s=copy.deepcopy(BASE)
    for a,b in k.items():
        if a in('process','linux'): s[a].update(b)
        else: s[a]=b
    return s
class B:
    def __init__(s):
        s.d=tempfile.mkdtemp(prefix='.tmpch'); s.id=str(uuid.uuid4()); os.mkdir(s.d+'/bundle')
        s.rootfs=s.d+'/bundle/rootfs'; subprocess.run(['cp','-al','/tmp/ch/rootfs',s.rootfs],check=True)
        os.unlink(s.rootfs+'/bin/busybox'); shutil.copy('/tmp/ch/rootfs/bin/busybox',s.rootfs+'/bin/busybox')
        s.set(spec(process={'args':['sleep','10']}))
    def set(s,x): s.spec=x; json.dump(x,open(s.d+'/bundle/config.json','w'))
    def cmd(s,*a,**k): return sh(*RT,'--root',s.d+'/runtime',*k.pop('g',[]),*a,timeout=k.pop('timeout',70),**k)
    def popen(s,*a,**k): return subprocess.Popen([*RT,'--root',s.d+'/runtime',*a],stdout=subprocess.PIPE,stderr=subprocess.PIPE,text=True,**k)
    def create(s,*extra,**k):
        # like a child whose pipes are dropped after wait
        r1,w1=os.pipe(); e=open(s.d+'/err','w')
        p=subprocess.Popen([*RT,'--root',s.d+'/runtime','create',s.id,'--bundle',s.d+'/bundle',*extra],stdout=w1,stderr=e,**k)
        os.close(w1); c=p.wait(timeout=70); os.close(r1); return c
    def state(s):
        time.sleep(.15); r=s.cmd('state',s.id)
        try: st=json.loads(r.stdout)
        except Exception: st=None
        if st is not None:
            for f,t in (('ociVersion',str),('id',str),('status',str),('bundle',str)): ck(isinstance(st.get(f),t),'state field '+f)
            for f,t in (('pid',int),('annotations',dict),('created',str),('creator',int),('useSystemd',bool)):
                ck(st.get(f) is None or isinstance(st[f],t),'state field type '+f+' %r'%st.get(f))
        return st,r.stderr
    def end(s):
        s.cmd('kill',s.id,'9'); s.cmd('delete',s.id)
        left=s.cmd('delete','--force',s.id)
        for g in ('bundle/rootfs',): umount(s.d+'/'+g)
        shutil.rmtree(s.d,ignore_errors=True)
def created(b,c):
    st,e=b.state(); ck(c==0,'create exit %s: %s'%(c,open(b.d+'/err').read())); ck(e=='','state err '+e); ck(st and st['id']==b.id and st['status']=='created','state %s'%st); return st
def outside(sp,f,check=True):
    b=B(); b.set(sp)
    try:
        c=b.create()
        if check: st=created(b,c); b.st=st
        f(b) if check else f(b,c)
        ns=sp['linux'].get('namespaces')
        if ns is not None and not any(n['type']=='mount' for n in ns): ck(umount(b.rootfs)==0,'umount rootfs')
    finally: b.end()
def inside(sp,setup=lambda r:None,*extra,**k):
    b=B(); b.set(sp)
    try:
        setup(b.rootfs)
        json.dump(sp,open(b.rootfs+'/config.json','w')); shutil.copy(RTEST,b.rootfs+'/bin/runtimetest')
        p=b.popen('create',b.id,'--bundle',b.d+'/bundle',*extra,**k); time.sleep(1)
        r=b.cmd('start',b.id); out,err=p.communicate(timeout=90)
        ck(err=='','stderr: '+err[:600]+' | start: '+r.stderr[:300])
        st,e=b.state(); ck(e=='','state: '+e); ck(st['status']=='stopped','status '+st['status'])
    finally: b.end()
def rt(n,**k):
    p=k.pop('process',{}); p['args']=['runtimetest']+n.split(); return spec(process=p,**k)
T={}
def t(f=None,name=None):
    def d(f): T[name or f.__name__]=f; return f
    return d(f) if f else d
SL={'args':['sleep','1000']}
def start(b):
    r=b.cmd('start',b.id); ck(r.returncode==0,'start: '+r.stderr); return r
def noerr(r,m): ck('error' not in r.stderr.lower(),m+': '+r.stderr)
def iserr(r,m): ck('Error' in r.stderr or 'error' in r.stderr,m+': no error said: '+r.stderr)
def waitst(b,w,tmo=5):
    e=time.time()+tmo
    while time.time()<e:
        st,er=b.state()
        if w=='deleted':
            if st is None: ck('does not exist' in er,'deleted err: '+er); return
        elif st and st['status']==w: return
        elif er and 'does not exist' not in er: raise Fail('state '+er)
        time.sleep(.1)
    raise Fail('never '+w)
# lifecycle
@t
def lifecycle():
    b=B(); 
    try:
        ck(b.create()==0); noerr(b.cmd('start',b.id),'start'); noerr(b.cmd('kill',b.id,'9'),'kill'); time.sleep(.075)
        time.sleep(.15); r=b.cmd('state',b.id); ck('"id": "%s"'%b.id in r.stdout and '"status": "stopped"' in r.stdout,'state text '+r.stdout)
        noerr(b.cmd('delete',b.id),'delete')
    finally: b.end()
@t
def create_empty_id():
    b=B(); r=b.cmd('create','--bundle',b.d+'/bundle',''); ck(r.returncode!=0); b.end()
@t
def create_valid_duplicate():
    b=B()
    try: ck(b.create()==0); ck(b.create()!=0)
    finally: b.end()
def tlb_sizes():
    o=[]
    for n in os.listdir('/sys/kernel/mm/hugepages'):
        z=int(n[10:-2]); o.append('%dGB'%(z>>20) if z>=1<<20 else '%dMB'%(z>>10) if z>=1024 else '%dKB'%z)
    return o
@t
def tlb_invalid():
    def f(b,c):
        st,e=b.state(); ck(st is None and e and c!=0)
    outside(spec(linux={'resources':{'hugepageLimits':[{'pageSize':'3MB','limit':314572800}]}}),f,False)
@t
def tlb_valid():
    for z in tlb_sizes():
        outside(spec(linux={'resources':{'hugepageLimits':[{'pageSize':z,'limit':1<<30}]}}),lambda b: ck(open('/sys/fs/cgroup/hugetlb/%s/hugetlb.%s.limit_in_bytes'%(b.id,z)).read().strip()==str(1<<30)) if os.path.exists('/sys/fs/cgroup/hugetlb') else None)
@t
def pidfile():
    b=B()
    try:
        open(b.d+'/pf','w'); b.create('--pid-file',b.d+'/pf'); st,e=b.state(); ck(e==''); ck(st['status']=='created'); x=open(b.d+'/pf').read(); ck(re.fullmatch(r'\d+',x) and int(x)==st['pid'],'pidfile %r'%x)
    finally: b.end()
def nsid(p): return {n:os.readlink('/proc/%s/ns/%s'%(p,n)) for n in os.listdir('/proc/%s/ns'%p)}
@t
def ns_itype():
    s=spec(linux={'namespaces':[],'maskedPaths':[],'readonlyPaths':[]}); del s['hostname']
    outside(s,lambda b: ck(nsid(b.st['pid'])==nsid('self'),'ns differ %s'%[k for k,v in nsid('self').items() if nsid(b.st['pid']).get(k)!=v]))
for kind,opt,fn in (('ipc','--ipc','ipc'),('mount','--mount','mnt'),('network','--net','net'),('pid','--pid','pid'),('uts','--uts','uts')):
    def mk(kind,opt,fn):
        def f():
            p=subprocess.Popen(['unshare',opt,'--fork','sleep','1000'],start_new_session=True)
            try:
                path='/proc/%d/ns/%s'%(p.pid,fn)+('_for_children' if kind=='pid' else '')
                for _ in range(50):
                    try:
                        if os.readlink(path)!=os.readlink('/proc/self/ns/'+fn): break
                    except OSError: pass
                    time.sleep(.1)
                w=os.readlink(path)
                def chk(b): ck(b.state()[0] and os.readlink('/proc/%d/ns/%s'%(b.state()[0]['pid'],fn))==w,'ns')
                def g(b,c):
                    ck(b.state()[0] is not None,'no state: '+open(b.d+'/err').read()); chk(b)
                outside(spec(linux={'namespaces':[{'type':kind,'path':path}]}),g,False)
            finally: os.killpg(p.pid,9); p.wait()
        T['ns_path_'+kind]=f
    mk(kind,opt,fn)
def hook(b,m,tail=''): return {'path':'/bin/sh','args':['sh','-c',"echo '%s' >> %s/output%s"%(m,b.rootfs,tail)]}
def hooks(b,kinds,ro=True,args=['true']):
    b.set(spec(process={'args':args},root={'path':'rootfs','readonly':ro},hooks={k:[hook(b,m) if not m.endswith('!') else hook(b,m[:-1],'; exit 1') for m in ms] for k,ms in kinds.items()}))
def out(b):
    try: return open(b.rootfs+'/output').read()
    except OSError: return None
@t
def hooks_order():
    b=B()
    try:
        ks=['prestart','createRuntime','createContainer','startContainer','poststart','poststop']
        hooks(b,{k:[k+'1',k+'2'] for k in ks}); b.create(); waitst(b,'created'); r=b.cmd('start',b.id); d=b.cmd('delete',b.id); waitst(b,'deleted')
        w=''.join('%s%d\n'%(k,i) for k in ks if k!='startContainer' for i in (1,2)); ck(out(b)==w,'got %r; start %s delete %s'%(out(b),r.stderr,d.stderr))
    finally: b.end()
def senv(cond,penv,henv):
    b=B()
    try:
        s=spec(process={'args':['sleep','60'],'env':BASE['process']['env']+penv}); h={'path':'/bin/sh','args':['sh','-c','if %s; then exit 0; else exit 1; fi'%cond]}
        if henv: h['env']=henv
        s['hooks']={'startContainer':[h]}; b.set(s); b.create(); waitst(b,'created'); r=b.cmd('start',b.id)
        try: waitst(b,'running')
        except Fail as e: raise Fail(str(e)+r.stderr)
    finally: b.end()
@t
def start_container_env_inherit(): senv('test "$ONE" = "two" && test "$FOO" = "bar"',['ONE=two','FOO=bar'],None)
@t
def start_container_env_explicit(): senv('test "$HOOK_VAR" = "hook_value" && test -z "$PROC_VAR"',['PROC_VAR=x'],['HOOK_VAR=hook_value'])
def waitf(b,w):
    e=time.time()+5
    while time.time()<e:
        if w in (out(b) or ''): return
        time.sleep(.1)
    raise Fail('no %s in %r'%(w,out(b)))
PC=['/bin/sh','-c',"echo 'process called' >> output"]
@t
def poststart():
    b=B()
    try:
        hooks(b,{'poststart':['ps']},False,PC); b.create()
        if NAME!='runc': ck(out(b) is None)
        b.cmd('start',b.id); waitf(b,'process called'); ck(sorted(out(b).split('\n'))==['','process called','ps'],out(b))
    finally: b.end()
@t
def poststart_fail():
    b=B()
    try:
        hooks(b,{'poststart':['h1','h2!','h3']},False,['/bin/sh','-c','true']); ck(b.create()==0); r=b.cmd('start',b.id); ck(r.returncode==1,'start %d'%r.returncode); ck(out(b)=='h1\nh2\n',out(b))
    finally: b.end()
@t
def poststop():
    b=B()
    try:
        hooks(b,{'poststop':['ps']},False,PC); b.create(); b.cmd('start',b.id); waitf(b,'process called'); ck(out(b)=='process called\n'); r=b.cmd('delete',b.id); waitf(b,'ps'); ck(out(b)=='process called\nps\n')
    finally: b.end()
@t
def poststop_fail():
    b=B()
    try:
        hooks(b,{'poststop':['h1','h2!','h3']},False,['/bin/sh','-c','true']); b.create(); b.cmd('start',b.id); r=b.cmd('delete',b.id); ck(r.returncode!=0,'delete 0'); ck(out(b)=='h1\nh2\n',out(b))
    finally: b.end()
def kfail(k):
    b=B()
    try:
        hooks(b,{k:['h1','h2!','h3']},False,PC); ck(b.create()!=0); ck(out(b)=='h1\nh2\n',out(b))
    finally: b.end()
def kok(k):
    b=B()
    try: hooks(b,{k:['h1']},False,['/bin/sh','-c','true']); b.create(); ck(out(b)=='h1\n')
    finally: b.end()
T['prestart_fail']=lambda: kfail('prestart'); T['create_runtime_fail']=lambda: kfail('createRuntime'); T['prestart']=lambda: kok('prestart'); T['create_runtime']=lambda: kok('createRuntime')
# kill
@t
def kill_empty():
    b=B(); iserr(b.cmd('kill','','9'),'kill'); b.end()
@t
def kill_none():
    b=B(); iserr(b.cmd('kill',b.id,'9'),'kill'); b.end()
@t
def kill_created():
    b=B()
    try: ck(b.create()==0); noerr(b.cmd('kill',b.id,'9'),'kill'); time.sleep(.075); noerr(b.cmd('delete',b.id),'delete')
    finally: b.end()
@t
def kill_stopped_no_effect():
    b=B()
    try:
        b.set(spec(process={'args':['true']})); ck(b.create()==0); noerr(b.cmd('start',b.id),'start'); waitst(b,'stopped'); s1=b.cmd('state',b.id).stdout; iserr(b.cmd('kill',b.id,'9'),'kill'); ck(s1==b.cmd('state',b.id).stdout); noerr(b.cmd('delete',b.id),'delete')
    finally: b.end()
@t
def kill_running():
    b=B()
    try: b.set(spec(process={'args':['sleep','30']})); ck(b.create()==0); noerr(b.cmd('start',b.id),'start'); waitst(b,'running'); noerr(b.cmd('kill',b.id,'9'),'kill'); time.sleep(.075); noerr(b.cmd('delete',b.id),'delete')
    finally: b.end()
@t
def killsig():
    for g in ('TERM','USR1','USR2'):
        b=B()
        try:
            b.set(spec(root={'path':'rootfs','readonly':False},process={'args':['sh','-c',"trap 'touch /%s' %s; sleep 10 & wait $!"%(g,g)]})); ck(b.create()==0); noerr(b.cmd('start',b.id),'start'); waitst(b,'running'); noerr(b.cmd('kill',b.id,g),'kill'); waitst(b,'stopped'); ck(os.path.exists(b.rootfs+'/'+g),g); noerr(b.cmd('delete',b.id),'delete')
        finally: b.end()
@t
def delete_none():
    b=B(); iserr(b.cmd('delete',b.id),'delete'); b.end()
@t
def delete_created():
    b=B()
    try: ck(b.create()==0); time.sleep(1); noerr(b.cmd('delete',b.id),'delete')
    finally: b.end()
@t
def delete_running():
    b=B()
    try: ck(b.create()==0); noerr(b.cmd('start',b.id),'start'); time.sleep(.5); iserr(b.cmd('delete',b.id),'delete'); b.cmd('kill',b.id,'9'); time.sleep(.5); noerr(b.cmd('delete',b.id),'delete')
    finally: b.end()
@t
def delete_stopped():
    b=B()
    try: ck(b.create()==0); noerr(b.cmd('start',b.id),'start'); noerr(b.cmd('kill',b.id,'9'),'kill'); time.sleep(.5); noerr(b.cmd('delete',b.id),'delete')
    finally: b.end()
# misc
@t
def misc_unknown_annotation(): inside(spec(process={'args':['/bin/sh','-c','true']},annotations={'org.x.unknown':''}))
@t
def misc_unknown_top(): inside(spec(process={'args':['/bin/sh','-c','true']},unknown='value'))
def mustfail(f,text=None):
    try: f()
    except Fail as e:
        if text: ck(text in str(e),'text missing: '+str(e))
        return
    raise Fail('passed, must fail')
@t
def misc_bad_version(): mustfail(lambda: inside(spec(process={'args':['/bin/sh','-c','true']},ociVersion='invalid')))
@t
def example(): inside(rt('hello_world'))
@t
def hostname(): inside(rt('set_host_name',hostname='hostname-specific',linux={'readonlyPaths':[]}))
@t
def hostname_empty(): inside(rt('set_host_name',hostname='',linux={'readonlyPaths':[]}))
@t
def domainname(): inside(rt('domainname_test',domainname='domainname'))
@t
def ro_paths():
    def s(r):
        os.makedirs(r+'/rd/rs'); [open(r+x,'w') for x in ('/rd/rs/tmp','/rd/rs/rf','/rd/rf','/rf')]
    inside(rt('readonly_paths',linux={'readonlyPaths':['/rd','/rf','/rd/rs','/rd/rf','/rd/rs/rf']}),s)
@t
def ro_rel(): inside(rt('readonly_paths',linux={'readonlyPaths':['readonly_relpath']}))
@t
def ro_symlink(): mustfail(lambda: inside(rt('readonly_paths',linux={'readonlyPaths':['/rs']}),lambda r: os.symlink('../rs',r+'/rs')))
@t
def ro_nodes(): inside(rt('readonly_paths',linux={'readonlyPaths':['/rdev']}),lambda r: open(r+'/rdev','w'))
@t
def masked():
    def s(r):
        os.makedirs(r+'/md/ms'); [open(r+x,'w').write('secrets') for x in ('/md/ms/tmp','/md/ms/mf','/md/mf','/mf')]
    inside(rt('masked_paths',linux={'maskedPaths':['/md','/mf','/md/ms','/md/mf','/md/ms/mf']}),s)
@t
def masked_rel(): mustfail(lambda: inside(rt('masked_paths',linux={'maskedPaths':['../masked_rel_path']})))
@t
def masked_symlink(): mustfail(lambda: inside(rt('masked_paths',linux={'maskedPaths':['/ms']}),lambda r: os.symlink('../ms',r+'/ms')))
@t
def masked_nodes(): inside(rt('masked_paths',linux={'maskedPaths':['/mdev']}),lambda r: open(r+'/mdev','w'))
def symd(p):
    def s(r): shutil.rmtree(r+'/'+p); os.symlink(r+'/'+p,r+'/'+p)
    mustfail(lambda: inside(spec(process={'args':['sleep','3000']}),s),'must be mounted on ordinary directory')
T['prohibit_symlink_proc']=lambda: symd('proc'); T['prohibit_symlink_sys']=lambda: symd('sys')
CAPS=['CAP_'+c for c in 'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'.split()]
MS={'SUID':2}
def rec(opts,setup=lambda r,d,s:None,args=None):
    base=tempfile.mkdtemp(prefix='.chm'); d=base+'/mount_dir'; s=d+'/mount_subdir'
    dc=BASE['process']['capabilities']
    sp=spec(mounts=BASE['mounts']+[{'destination':'/mnt','source':d,'options':opts}],linux={'readonlyPaths':[]},process={'args':args or ['runtimetest','mounts_recursive'],'capabilities':{'bounding':CAPS,'effective':CAPS,'permitted':CAPS,'inheritable':dc['inheritable'],'ambient':dc['ambient']},'rlimits':[],'noNewPrivileges':False})
    def st(r): os.mkdir(d); mount(None,d,'tmpfs'); os.mkdir(s); mount(None,s,'tmpfs'); setup(r,d,s)
    try: inside(sp,st)
    finally: umount(s); umount(d); shutil.rmtree(base,ignore_errors=True)
wr=lambda r,d,s: open(s+'/bar','w').write('bar\n')
def cp(n,suid=False):
    def f(r,d,s):
        for x in (d,s):
            shutil.copy('/tmp/ch/rootfs/bin/busybox',x+'/'+n); os.chmod(x+'/'+n,0o755)
            if suid: os.chown(x+'/'+n,1200,-1); os.chmod(x+'/'+n,0o4755)
    return f
WHO=['sh','-c','/mnt/whoami; /mnt/mount_subdir/whoami']
STRICT=1<<24
def remount(r,d,s):
    for x in (d,s): mount(None,x,None,32|STRICT)
def link(r,d,s): open(s+'/file','w'); os.symlink(s+'/file',s+'/link'); open(d+'/file','w'); os.symlink(d+'/file',d+'/link')
def null(r,d,s): os.mknod(s+'/null',0o666|stat.S_IFCHR,os.makedev(1,3))
T.update({'rec_rro':lambda: rec(['rbind','rro'],wr),'rec_rnosuid':lambda: rec(['rbind','rnosuid'],cp('whoami',True),WHO),
 'rec_rsuid':lambda: mustfail(lambda: rec(['rbind','rsuid'],cp('whoami',True),WHO),'unknown uid 1200'),'rec_rnoexec':lambda: rec(['rbind','rnoexec'],cp('echo')),'rec_rexec':lambda: rec(['rbind','rexec'],cp('echo')),
 'rec_rdiratime':lambda: rec(['rbind','rdiratime']),'rec_rnodiratime':lambda: rec(['rbind','rnodiratime']),'rec_rdev':lambda: rec(['rbind','rdev'],null),'rec_rnodev':lambda: rec(['rbind','rnodev'],null),'rec_rrw':lambda: rec(['rbind','rrw'],wr),
 'rec_rrelatime':lambda: rec(['rbind','rrelatime'],remount),'rec_rnorelatime':lambda: rec(['rbind','rnorelatime']),'rec_rnoatime':lambda: rec(['rbind','rnoatime']),'rec_rstrictatime':lambda: rec(['rbind','rstrictatime']),
 'rec_rnosymfollow':lambda: rec(['rbind','rnosymfollow'],link),'rec_rsymfollow':lambda: rec(['rbind','rsymfollow'],link),'rec_rbind_ro':lambda: rec(['rbind','ro'],lambda r,d,s:(open(d+'/bar','w'),open(s+'/bar','w')),['runtimetest','mounts_recursive_rbind_ro'])})
def mprop(o):
    base=tempfile.mkdtemp(prefix='.chm'); d=base+'/mount_dir'; s=d+'/sub'
    sp=rt('mount_propagation',mounts=BASE['mounts']+[{'destination':'/mnt/mount_propagation','source':d,'options':['rbind',o]}])
    def st(r): os.mkdir(d); mount(d,d,None,4096); mount(None,d,None,1<<20); os.mkdir(s); mount(None,s,'tmpfs')
    try: inside(sp,st)
    finally: umount(s); umount(d); shutil.rmtree(base,ignore_errors=True)
for k in ('shared','slave','private','unbindable'):
    for r in ('','r'):
        T['mount_prop_'+r+k]=(lambda o: lambda: mprop(o))(r+k)
        def rp(o):
            c=['CAP_SYS_ADMIN']; l={'rootfsPropagation':o,'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'}}
            if o=='runbindable': l.update(maskedPaths=[],readonlyPaths=[])
            inside(rt('rootfs_propagation',root={'path':'rootfs','readonly':False},linux=l,process={'capabilities':{x:c for x in('bounding','effective','inheritable','permitted','ambient')}}))
        T['rootfs_prop_'+r+k]=(lambda o: lambda: rp(o))(r+k)
@t
def seccomp(): inside(rt('seccomp',linux={'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['getcwd'],'action':'SCMP_ACT_ERRNO'}]}}))
@t
def seccomp_notify():
    p='/tmp/ch/agent.sock'
    if os.path.exists(p): os.unlink(p)
    l=socket.socket(socket.AF_UNIX); l.bind(p); l.listen(1); got=[]
    def run():
        l.settimeout(20); c,_=l.accept(); d,anc,_,_=c.recvmsg(65536,4096); got.append((json.loads(d),len(array.array('i',anc[0][2])))); 
    th=threading.Thread(target=run); th.start()
    def f(b): th.join(10); ck(got,"the agent was told nothing at creation"); g,n=got[0]; ck(g['state']['id']==b.id and g['pid']==b.st['pid'] and g['metadata']=='meta' and n==1,'%s'%g); ck(set(('ociVersion','fds','pid','state'))<=set(g),'fields %s'%g); ck(g['state']['status'] in('creating','created')); ck(isinstance(g['state']['bundle'],str))
    outside(spec(linux={'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','architectures':['SCMP_ARCH_X86_64'],'listenerPath':p,'listenerMetadata':'meta','syscalls':[{'names':['getcwd'],'action':'SCMP_ACT_NOTIFY'}]}}),f)
@t
def sysctl(): inside(rt('sysctl',linux={'sysctl':{'net.ipv4.ip_forward':'1'}}))
T['sched_other']=lambda: inside(rt('sched',process={'scheduler':{'policy':'SCHED_OTHER','nice':1}})); T['sched_batch']=lambda: inside(rt('sched',process={'scheduler':{'policy':'SCHED_BATCH','nice':1}}))
for i,c in enumerate(('RT','BE','IDLE')): T['ioprio_'+c]=(lambda c,i: lambda: inside(rt('ioprio',process={'ioPriority':{'class':'IOPRIO_CLASS_'+c,'priority':i}})))(c,i+1)
def mp(m): return rt('memory_policy',linux={'memoryPolicy':m})
T['mp_interleave']=lambda: inside(mp({'mode':'MPOL_INTERLEAVE','nodes':'0','flags':[]})); T['mp_bind']=lambda: inside(mp({'mode':'MPOL_BIND','nodes':'0','flags':['MPOL_F_STATIC_NODES']})); T['mp_preferred']=lambda: inside(mp({'mode':'MPOL_PREFERRED','nodes':'0','flags':['MPOL_F_RELATIVE_NODES']})); T['mp_default']=lambda: inside(mp({'mode':'MPOL_DEFAULT','nodes':'','flags':[]}))
@t
def io_none(): pass
del T['io_none']
@t
def devices(): inside(rt('devices',linux={'devices':[{'path':'/dev/test1','type':'c','major':10,'minor':666,'fileMode':432,'uid':0,'gid':0},{'path':'/dev/test2','type':'b','major':8,'minor':666,'fileMode':432,'uid':0,'gid':0},{'path':'/dev/test3','type':'p','major':8,'minor':666,'fileMode':432}]}))
@t
def devices_default(): inside(rt('devices',linux={'devices':[{'path':'/dev/kmsg','type':'c','major':1,'minor':11}]}))
T['root_ro']=lambda: inside(rt('root_readonly')); T['root_rw']=lambda: inside(rt('root_readonly',root={'path':'rootfs','readonly':False}))
@t
def process(): inside(rt('process',process={'cwd':'/test','env':BASE['process']['env']+['testa=valuea','testb=123']}),lambda r: os.mkdir(r+'/test'))
T['user_unique']=lambda: inside(rt('process_user',process={'user':{'uid':10,'gid':10,'umask':2,'additionalGids':[101,120,130,144,155]}})); T['user_dup']=lambda: inside(rt('process_user',process={'user':{'uid':10,'gid':10,'umask':2,'additionalGids':[101,120,130,144,155,101]}}))
G=1<<30
@t
def rlimits(): inside(rt('process_rlimits',process={'rlimits':[{'type':'RLIMIT_'+a,'hard':h,'soft':s} for a,h,s in (('AS',2*G,G),('CORE',4*G,3*G),('DATA',6*G,5*G),('FSIZE',8*G,7*G),('STACK',10*G,9*G),('CPU',120,60),('NOFILE',4000,3000))]}))
@t
def rlimits_fail(): mustfail(lambda: inside(rt('process_rlimits',process={'rlimits':[{'type':'RLIMIT_NOFILE','hard':2**64-1,'soft':2**64-1}]})))
@t
def no_pivot(): inside(rt('no_pivot'),lambda r:None,'--no-pivot')
@t
def oom(): inside(rt('oom',process={'oomScoreAdj':512}))
T['fd_only_stdio']=lambda: inside(rt('fd_control'),lambda r: open(r+'/num-fds','w').write('0'),'--preserve-fds','100',close_fds=True)
def fdp(n,flag):
    fd=os.open('/dev/null',os.O_RDONLY); os.set_inheritable(fd,True)
    try: inside(rt('fd_control'),lambda r: open(r+'/num-fds','w').write(n),'--preserve-fds',str(flag(fd)),pass_fds=[fd])
    finally: os.close(fd)
T['fd_closes']=lambda: fdp('0',lambda f:0); T['fd_single']=lambda: fdp('1',lambda f:f-2)
@t
def caps_fail():
    s=spec(process={'args':['sleep','3']}); s['process']['capabilities']={k:(['TEST_CAP']*3 if k in('bounding','effective') else v) for k,v in s['process']['capabilities'].items()}
    mustfail(lambda: inside(s),'no variant for TEST_CAP')
Z={x:[] for x in('effective','inheritable','permitted','ambient')}
@t
def caps_bounding_unset(): inside(rt('caps_zero',process={'capabilities':Z}))
@t
def caps_bounding_unset_fail():
    mustfail(lambda: inside(spec(process={'args':['sleep','1s'],'capabilities':{**{x:['CAP_SYS_ADMIN'] for x in('effective','inheritable','permitted')},'ambient':[]}})))
    try: inside(spec(process={'args':['sleep','1s'],'capabilities':{**{x:['CAP_SYS_ADMIN'] for x in('effective','inheritable','permitted')},'ambient':[]}}))
    except Fail as e: ck(any(w in str(e) for w in('EPERM','Operation not permitted','operation not permitted')),'text: '+str(e))
ALL=['CAP_'+c for c in 'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'.split()]
@t
def caps_all(): inside(rt('caps_all',process={'capabilities':{x:ALL for x in('bounding','effective','inheritable','permitted','ambient')}}))
def usr(h,size): return {'namespaces':BASE['linux']['namespaces']+[{'type':'user'}],'uidMappings':[{'hostID':h,'containerID':0,'size':size}],'gidMappings':[{'hostID':h,'containerID':0,'size':size}]}
@t
def uid_mappings():
    l=usr(1000,2000); l['gidMappings'][0]['size']=3000; inside(rt('uid_mappings',linux=l))
@t
def default_symlinks(): inside(rt('symlinks'))
# exec
def ex(b,*a,pj=None,env=(),late=False):
    o=[x for x in a if x.startswith('--')]; c=[x for x in a if not x.startswith('--')]
    # options may also come after the id, as an older state of the suite has it
    args=['exec']+(['--process',pj] if pj else [])+sum((['--env',e] for e in env),[])
    args+=([b.id]+list(a)) if late and not pj else o+[b.id]+([] if pj else c)
    r=sh(*RT,'--root',b.d+'/runtime','--debug',*args,timeout=30); return r
def exok(b,*a,**k):
    r=ex(b,*a,**k); ck(r.returncode==0,'exec %s: %s'%(a,r.stderr)); return r
def run(sp,f): outside(sp,lambda b:(start(b),f(b)))
def caps(**k): return {x:k.get(x,[]) for x in('bounding','effective','inheritable','permitted','ambient')}
for late in (False,True):
    s='_late' if late else ''
    def mk(late):
        cat=('cat','/proc/self/status')
        def has(r,*w):
            for x in w: ck(x in r.stdout,'no %r in %s'%(x,[l for l in r.stdout.split('\n') if 'Cap' in l or 'NoNew' in l]))
        def byflag1(): run(spec(process={**SL,'capabilities':caps()}),lambda b: has(exok(b,'--cap=CAP_KILL','--cap=CAP_AUDIT_WRITE',*cat,late=late),'CapInh:\t0000000000000000','CapBnd:\t0000000020000020','CapEff:\t0000000020000020','CapPrm:\t0000000020000020','CapAmb:\t0000000000000000'))
        def byflag2():
            def f(b):
                has(exok(b,*cat,late=late),'CapInh:\t0000000000000001','CapBnd:\t0000000400000021','CapEff:\t0000000000000021','CapPrm:\t0000000000000021','CapAmb:\t0000000000000001')
                has(exok(b,'--cap=CAP_SYSLOG',*cat,late=late),'CapInh:\t0000000000000001','CapBnd:\t0000000400000021','CapEff:\t0000000400000021','CapPrm:\t0000000400000021','CapAmb:\t0000000000000001')
            run(spec(process={**SL,'capabilities':caps(bounding=['CAP_KILL','CAP_CHOWN','CAP_SYSLOG'],inheritable=['CAP_CHOWN'],permitted=['CAP_KILL','CAP_CHOWN'],ambient=['CAP_CHOWN'])}),f)
        def nocaps(): run(spec(process={**SL,'capabilities':caps()}),lambda b: has(exok(b,*cat),'CapInh:\t0000000000000000','CapAmb:\t0000000000000000','NoNewPrivs:\t1'))
        def newpriv(): run(spec(process={**SL,'noNewPrivileges':False,'capabilities':caps()}),lambda b: has(exok(b,*cat),'CapInh:\t0000000000000000','CapAmb:\t0000000000000000','NoNewPrivs:\t0'))
        def some(): run(spec(process={**SL,'capabilities':caps(bounding=['CAP_SYS_ADMIN'],permitted=['CAP_SYS_ADMIN','CAP_AUDIT_WRITE','CAP_KILL','CAP_NET_BIND_SERVICE'])}),lambda b: has(exok(b,*cat),'CapInh:\t0000000000000000','CapBnd:\t0000000000200000','CapEff:\t0000000000200000','CapPrm:\t0000000000200000','NoNewPrivs:\t1'))
        def cg():
            def f(b):
                o=(lambda v: ['--cgroup',v]) if late else (lambda v: ['--cgroup='+v])
                for v in ('..','notexistspath','cpu:notexistspath','waaaaat:/'): ck(ex(b,*o(v),'cat','/proc/self/cgroup',late=late).returncode!=0,'exec --cgroup '+v)
                exok(b,'cat','/proc/self/cgroup',late=late); r=ex(b,'cat','/proc/self/cgroup'); exok(b,'grep','^0::/$','/proc/self/cgroup',late=late); exok(b,'--cgroup=/','cat','/proc/self/cgroup',late=late)
            run(spec(process=SL),f)
        def paused():
            def f(b):
                ck(b.cmd('pause',b.id).returncode==0); th=threading.Timer(2,lambda: b.cmd('resume',b.id)); th.start(); r=exok(b,'--ignore-paused','echo','ya I can','',late=late); ck('ya I can' in r.stdout); th.join()
            run(spec(process=SL),f)
        return dict(byflag1=byflag1,byflag2=byflag2,nocaps=nocaps,newpriv=newpriv,some=some,cgroup=cg,paused=paused)
    for k,v in mk(late).items():
        if late and k in('nocaps','newpriv','some'): continue
        T['exec_'+k+s]=v
@t
def exec_preserve_fds():
    def f(b):
        open(b.d+'/x','w').write('hello world\n'); fd=fcntl.fcntl(os.open(b.d+'/x',os.O_RDONLY),fcntl.F_DUPFD,50)
        for a in (['--preserve-fds=1',b.id],[b.id,'--preserve-fds=1']):
            p=subprocess.run([*RT,'--root',b.d+'/runtime','--debug','exec',*a,'cat','/proc/self/fd/3'],capture_output=True,text=True,preexec_fn=lambda: os.dup2(fd,3),close_fds=False); ck(p.returncode==0 and 'hello world' in p.stdout,p.stderr); os.lseek(fd,0,0)
    run(spec(process=SL),f)
@t
def exec_mounts():
    def f(b):
        L=[l.split() for l in exok(b,'cat','/proc/self/mountinfo').stdout.split('\n') if l]; ck(any(l[4]=='/' and 'ro' in l[5].split(',') for l in L),'ro'); 
        for p in ('/proc/acpi','/proc/bus'): ck(sum(l[4]==p for l in L)==1,'%s %d'%(p,sum(l[4]==p for l in L)))
    run(spec(process=SL),f)
def secx(nnp,st,w):
    p={**SL,'capabilities':caps()}
    if nnp is not None: p['noNewPrivileges']=nnp
    def f(b):
        o=exok(b,'cat',st).stdout; ck('Seccomp:\t2' in o,o); ck(w is None or 'NoNewPrivs:\t%d'%w in o,o)
    s=spec(process=p,linux={'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['syslog'],'action':'SCMP_ACT_ERRNO'}]}})
    run(s,f)
T['exec_seccomp_no_nnp']=lambda: secx(False,'/proc/self/status',0); T['exec_seccomp_nnp']=lambda: secx(True,'/proc/self/status',1); T['init_seccomp_no_nnp']=lambda: secx(False,'/proc/1/status',0); T['exec_seccomp_unset']=lambda: secx(None,'/proc/self/status',None)
def affp(b,i,f):
    a={}; 
    if i: a['initial']=i
    if f: a['final']=f
    p=b.d+'/process.json'; json.dump({'terminal':False,'cwd':'/','args':['/bin/grep','-F','Cpus_allowed_list:','/proc/self/status'],'env':BASE['process']['env'],'user':{'uid':0,'gid':0},'execCPUAffinity':a},open(p,'w')); return p
@t
def affinity_initial():
    def f(b): r=exok(b,pj=affp(b,'0,1',None)); ck(re.search('.*affinity: 0x3',r.stderr),r.stderr)
    run(spec(process={**SL,'execCPUAffinity':{}}),f)
@t
def affinity_both():
    def f(b): r=exok(b,pj=affp(b,'0','1')); ck('1' in r.stdout,r.stdout); ck(re.search('.*affinity: 0x1',r.stderr),r.stderr)
    run(spec(process={**SL,'execCPUAffinity':{}}),f)
@t
def affinity_config():
    def f(b): r=exok(b,'grep','Cpus_allowed_list','/proc/self/status'); ck('1' in r.stdout,r.stdout); ck(re.search('.*affinity: 0x1',r.stderr),r.stderr)
    run(spec(process={**SL,'execCPUAffinity':{'initial':'0','final':'1'}}),f)
P='PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
@t
def exec_env():
    run(spec(process={**SL,'env':[P,'A=spec','B=1']}),lambda b:(ck(exok(b,'sh','-c','echo $A').stdout.strip()=='spec'),ck(exok(b,'sh','-c','echo $A',env=['A=cli']).stdout.strip()=='cli','override'),ck('N=h' in exok(b,'/bin/env',env=['N=h']).stdout)))
@t
def exec_env_process():
    def f(b):
        p=b.d+'/p.json'; json.dump({'terminal':False,'cwd':'/','args':['sh','-c','echo $PV'],'env':[P,'PV=pj'],'user':{'uid':0,'gid':0}},open(p,'w')); ck(exok(b,pj=p).stdout.strip()=='pj')
    run(spec(process=SL),f)
for d,w in (('LINUX32','i686'),('LINUX','x86_64')): T['personality_'+d]=(lambda d,w: lambda: run(spec(process=SL,linux={'personality':{'domain':d}}),lambda b: ck(w in exok(b,'uname','-m').stdout)))(d,w)
# net devices
def dummy(n): r=sh('ip','link','add',n,'type','dummy'); ck(r.returncode==0,'skip: '+r.stderr)
def gone(n): return sh('ip','link','show',n).returncode!=0
def netd(m):
    for n in m: dummy(n)
    try:
        try: inside(spec(process={'args':['ip','link']},linux={'netDevices':m}))
        except Fail as e: print('   note',e)
        for n in m: ck(gone(n),n+' is still there')
    finally:
        for n in m: sh('ip','link','del',n)
T['netdev']=lambda: netd({'dummy1':{'name':None}}); T['netdev_rename']=lambda: netd({'dummy1':{'name':'ren1'}}); T['netdevs']=lambda: netd({'dummy1':{'name':None},'dummy2':{'name':None}})
T['netdev_empty']=lambda: mustfail(lambda: inside(spec(process={'args':['true']},linux={'netDevices':{'nodev1':{'name':None}}})))
def netns(addr):
    sh('ip','netns','add','chns'); 
    try:
        dummy('chd0')
        if addr: sh('ip','addr','add','244.178.44.111/24','dev','chd0')
        outside(spec(linux={'namespaces':[{'type':'network','path':'/var/run/netns/chns'}],'netDevices':{'chd0':{'name':'chd0'}}}),lambda b:None)
        o=sh('ip','netns','exec','chns','ip','addr').stdout; ck('chd0' in o,o); 
        if addr: ck('244.178.44.111/24' in o,o)
    finally: sh('ip','netns','exec','chns','ip','link','del','chd0'); sh('ip','link','del','chd0'); sh('ip','netns','del','chns')
T['netdev_back']=lambda: netns(False); T['netdev_address']=lambda: netns(True)
# cgroup v1
CG='/sys/fs/cgroup/'
def res(r,path='/runtime-test/x'): return spec(linux={'cgroupsPath':path,'resources':r})
@t
def cg_cpu():
    for c in ({'shares':1024,'quota':100000,'period':50000,'cpus':'0','mems':'0'},{'shares':2048,'quota':500000,'period':200000,'cpus':'0-1','mems':'0'},{'shares':1024,'quota':100000,'period':200000,'cpus':'0','mems':'0'},{}):
        if os.path.exists(CG+'cpu,cpuacct/cpu.rt_period_us') and c: c.update(realtimePeriod=1000000,realtimeRuntime=950000)
        for _ in range(2): outside(res({'cpu':c},'/runtime-test/test_cpu'),lambda b:None)
@t
def cg_cpu_idle():
    if not os.path.exists(CG+'cpu/cpu.idle'): raise Fail('skip: no cpu.idle')
    outside(res({'cpu':{'shares':2048,'quota':500000,'period':200000,'idle':1,'cpus':'0','mems':'0'}}),lambda b:None)
@t
def cg_memory():
    for l in (50593792,151781376):
        for w in (10,50,100): outside(res({'memory':{'limit':l,'swappiness':w}},'/runtime-test/test_mem'),lambda b:None)
@t
def cg_pids():
    outside(res({'pids':{'limit':50}},'/runtime-test/test_pids'),lambda b: ck(open(CG+'pids/runtime-test/test_pids/pids.max').read().strip()=='50'))
@t
def cg_blkio():
    dev=[open('/sys/block/%s/dev'%n).read().strip().split(':') for n in os.listdir('/sys/block')][0]; d={'major':int(dev[0]),'minor':int(dev[1])}
    r={'throttle%sDevice'%k:[{**d,'rate':102400}] for k in('ReadBps','WriteBps','ReadIOPS','WriteIOPS')}
    def f(b): ck('%s:%s 102400'%tuple(dev) in open(CG+'blkio/runtime-test/test_blkio/blkio.throttle.read_bps_device').read())
    outside(res({'blockIO':r},'/runtime-test/test_blkio'),f)
    outside(res({'blockIO':{}},'/runtime-test/test_blkio'),lambda b:None)
@t
def cg_network():
    if not os.path.exists(CG+'net_cls'): raise Fail('skip: no net_cls')
    for p in ('/runtime-test/test_network','testdir/runtime-test/container/test_rel'):
        outside(res({'network':{'classID':255,'priorities':[{'name':'lo','priority':10}]}},p),lambda b: ck(open(CG+'net_cls,net_prio/'+p.lstrip('/')+'/net_cls.classid').read().strip()=='255'))
@t
def rdt():
    if 'resctrl' not in open('/proc/mounts').read(): raise Fail('skip: no resctrl')
# idmap
U=100000; N=65536
def own(d,fs):
    os.makedirs(d,exist_ok=True)
    for n,(u,g) in zip(('foo','bar','baz'),fs): open(d+'/%s.txt'%n,'w').write('x'); os.chown(d+'/%s.txt'%n,u,g)
def maps(*l): return [{'containerID':a,'hostID':b,'size':c} for a,b,c in l]
def bind(src,dst,opts,u=None,g=None):
    m={'destination':dst,'type':'bind','source':src,'options':opts}
    if u: m['uidMappings']=maps(*u); m['gidMappings']=maps(*g)
    return m
def idm(us,mk,want,setup,done=lambda t:None,lin=None):
    t=tempfile.mkdtemp(prefix='.chi'); 
    l={'readonlyPaths':[],**(usr(U,N) if us else {})}
    if lin: l=lin
    sp=spec(mounts=BASE['mounts']+mk(t),root={'path':'rootfs','readonly':False},linux=l,process={'args':['runtimetest','idmap']+['%s=%s'%x for x in want]})
    def s(r):
        for m in sp['mounts']: os.makedirs(r+'/'+m['destination'].lstrip('/'),exist_ok=True)
        setup(t)
    try: inside(sp,s)
    finally: done(t); shutil.rmtree(t,ignore_errors=True)
B1=[(0,U,N)]
for us in (True,False):
    n='userns' if us else 'no_userns'
    T['idmap_simple_'+n]=(lambda us: lambda: idm(us,lambda t:[bind(t+'/m','/tmp/m',['bind'],B1,B1)],[('/tmp/m/foo.txt','0:0' if us else '%d:%d'%(U,U))],lambda t: own(t+'/m',[(0,0)])))(us)
    T['idmap_and_bind_'+n]=(lambda us: lambda: idm(us,lambda t:[bind(t+'/m','/tmp/m',['bind'],B1,B1),bind(t+'/m','/tmp/b',['bind'])],[('/tmp/m/foo.txt','0:0' if us else '%d:%d'%(U,U)),('/tmp/b/foo.txt','65534:65534' if us else '0:0')],lambda t: own(t+'/m',[(0,0)])))(us)
    def same(us):
        o=(lambda a: a-U if us and U<=a<U+N else (65534 if us else a))
        def s(t): own(t+'/m',[(100,211),(101,222),(102,233)]); os.symlink(t+'/m',t+'/l')
        idm(us,lambda t:[bind(t+'/m','/tmp/a',['bind'],[(100,100000,100)],[(200,100000,100)]),bind(t+'/m','/tmp/b',['bind'],[(100,101000,100)],[(200,102000,100)]),bind(t+'/l','/tmp/c',['bind'],[(100,102000,100)],[(200,103000,100)])],[('/tmp/a/foo.txt','%d:%d'%(o(100000),o(100011))),('/tmp/b/bar.txt','%d:%d'%(o(101001),o(102022))),('/tmp/c/baz.txt','%d:%d'%(o(102002),o(103033)))],s)
    T['idmap_same_'+n]=(lambda us: lambda: same(us))(us)
    def multi(us):
        f=U if us else 0
        def s(t): own(t+'/m1',[(100,211),(101,222),(102,233)]); own(t+'/m3',[(5000528,6000491),(5000133,6000337),(5000999,6000444)])
        idm(us,lambda t:[bind(t+'/m1','/tmp/a',['bind'],[(100,f+1100,3)],[(200,f+1900,50)]),bind(t+'/m3','/tmp/b',['bind'],[(5000000,f+3000,1000)],[(6000000,f+3000,500)])],[('/tmp/a/foo.txt','1100:1911'),('/tmp/b/foo.txt','3528:3491')],s)
    T['idmap_multi_'+n]=(lambda us: lambda: multi(us))(us)
    def tree(us,opts):
        um=[(100,101000,3),(200,102000,3),(300,103000,3)]; gm=[(210,101100,10),(220,102200,10),(230,103300,10)]
        o=(lambda a: a-U if us else a)
        def s(t):
            own(t+'/t',[(100,211),(200,222),(300,233)]); own(t+'/c1',[(100,211),(101,222),(102,233)]); os.mkdir(t+'/t/multi1'); mount(t+'/c1',t+'/t/multi1',None,4096)
        rec='ridmap' in opts
        idm(us,lambda t:[bind(t+'/t','/tmp/t',opts,um,gm)],[('/tmp/t/foo.txt','%d:%d'%(o(101000),o(101101))),('/tmp/t/bar.txt','%d:%d'%(o(102000),o(102202))),('/tmp/t/multi1/foo.txt','%d:%d'%((o(101000),o(101101)) if rec else (65534,65534) if us else (100,211)))],s,lambda t: umount(t+'/t/multi1'))
    for oo in ('','idmap','ridmap'): T['idmap_tree_%s_%s'%(oo or 'plain',n)]=(lambda us,oo: lambda: tree(us,['rbind']+([oo] if oo else [])))(us,oo)
def implied(opt,lin=None):
    def s(t):
        own(t+'/t',[(100,211)]); own(t+'/c1',[(100,211)]); os.mkdir(t+'/t/multi1'); mount(t+'/c1',t+'/t/multi1',None,4096)
    idm(True,lambda t:[bind(t+'/t','/tmp/t',['rbind',opt])],[('/tmp/t/foo.txt','100:211'),('/tmp/t/multi1/foo.txt','100:211' if opt=='ridmap' else '65534:65534')],s,lambda t: umount(t+'/t/multi1'),lin)
T['idmap_implied_idmap']=lambda: implied('idmap'); T['idmap_implied_ridmap']=lambda: implied('ridmap')
def joined():
    b=B(); b.set(spec(linux={'readonlyPaths':[],**usr(U,N)},process={'args':['sleep','100']}))
    try:
        ck(b.create()==0); waitst(b,'created'); start(b); waitst(b,'running')
        implied('idmap',{'readonlyPaths':[],'maskedPaths':BASE['linux']['maskedPaths'],'resources':{'devices':[]},'namespaces':BASE['linux']['namespaces']+[{'type':'user','path':'/proc/%d/ns/user'%b.state()[0]['pid']}]})
    finally: b.end()
T['idmap_implied_join']=joined
T['idmap_propagation']=lambda: idm(True,lambda t:[bind(t+'/m','/tmp/m',['bind','shared'],B1,B1)],[('/tmp/m/foo.txt','0:0')],lambda t: own(t+'/m',[(0,0)]))
T['idmap_relative']=lambda: idm(True,lambda t:[bind(t+'/m','tmp/m',['bind'],B1,B1)],[('/tmp/m/foo.txt','0:0')],lambda t: own(t+'/m',[(0,0)]))
for a,m in {'mp_bad_mode':{'mode':'INTERLEAVE','nodes':'0'},'mp_bad_flag':{'mode':'MPOL_PREFERRED','nodes':'0','flags':['MPOL_F_RELATIVE_NODES','badflag']},'mp_no_mode':{'nodes':'0-7'},'mp_args':{'mode':'MPOL_DEFAULT','nodes':'0-7','flags':['MPOL_F_NUMA_BALANCING','MPOL_F_STATIC_NODES','MPOL_F_RELATIVE_NODES']},'mp_large':{'mode':'MPOL_BIND','nodes':'0-9876543210','flags':[]}}.items(): T[a]=(lambda m: lambda: mustfail(lambda: inside(spec(process={'args':['true']},linux={'memoryPolicy':m}))))(m)
ok=0
def tmo(*a): raise Fail("harness timeout")
import signal; signal.signal(signal.SIGALRM,tmo)
for n,f in T.items():
    if FILT and not any(x in n for x in FILT): continue
    try:
      signal.alarm(100); f(); signal.alarm(0); print('ok   ',n,flush=True); ok+=1
    except Exception as e: print('FAIL ' if 'skip:' not in str(e) else 'SKIP ',n,type(e).__name__ if not isinstance(e,Fail) else '',str(e)[:700].replace('\n',' / '),flush=True)
print(NAME,ok,'ok')
