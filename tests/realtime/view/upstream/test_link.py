def test_silence_of_the_recogniser_is_told_and_so_is_its_return(serve, browse, recogniser, begin_again):
    ada = browse(serve())
    ada.enter()
    recogniser.close()
    gone = ada.until("problem", what="recogniser-gone")
    assert "realtime" in gone["text"]
    begin_again(recogniser)
    ada.until("back")
    ada.send(5)
    assert ada.until("state")["frame"] == 5
