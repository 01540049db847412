import time
def test_probe(town, desk, open_browser):
    page = desk("佐藤")
    log=[]
    page.on("request", lambda r: log.append((round(time.time()%100,2), r.method, r.url, r.is_navigation_request())))
    t=time.time()
    resident = town.resident_on("line").taps("相談をはじめる").says("父が来週退院します。家は2階です")
    resident.says("人と話したい").taps("渡す")
    print("acts", time.time()-t)
    try:
        page.goto("/desk")
    except Exception as e: print("ERR", str(e)[:100])
    page.wait_for_timeout(1500)
    for l in log: print(l)
    page.keyboard.press("n")
    page.wait_for_timeout(1500)
    print(page.url, page.locator("#lines").inner_text()[:500])
    print(page.locator(".sheet").inner_text()[:500], [a.get_attribute("href") for a in page.locator(".sheet__lines a[href^='#m-']").all()])
    assert 0
