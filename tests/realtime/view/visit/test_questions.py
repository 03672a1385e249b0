import time

from realtime.schema.message import AskMoment, AskNeutral


def test_neutral_and_moments_are_asked_for_and_refusals_are_told(serve, browse, recogniser):
    ada = browse(serve())
    name = ada.enter()["camera"]
    ada.say("neutral")
    assert ada.until("calibrating")["seconds"] == 3.0
    assert recogniser.of(AskNeutral)[0].camera == name
    ada.say("moment", event=12)
    moment = ada.until("moment")
    assert (moment["event"], moment["times"], moment["exaggerated"]) == (12, 4.0, "")
    assert len(moment["onset"]) > 100
    assert recogniser.of(AskMoment)[0].event == 12
    ada.say("moment", event=99)
    assert "99" in ada.until("problem", what="refused")["text"]


def test_the_questions_of_one_visitor_do_not_hold_up_another(serve, browse, recogniser, texts_at_any_rate):

    def slowly(asked, before):
        time.sleep(0.1)
        return before(asked)

    recogniser.script(AskMoment, slowly)
    page = serve()
    ada, bob = browse(page), browse(page)
    ada.enter()
    bob.enter()
    for _ in range(100):
        ada.say("moment", event=12)
    assert ada.until("problem", what="too-fast")
    began = time.monotonic()
    bob.say("neutral")
    bob.until("calibrating")
    assert time.monotonic() - began < 3.0
    assert ada.until("moment")["event"] == 12
    ada.quiet(0.5)
    ada.say("moment", event=13)
    assert ada.until("moment", event=13), "once they are answered others may be asked"
