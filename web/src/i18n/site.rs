//! Texts of the frame around every page.

super::texts! {
    /// Header, footer, preferences, failures.
    Site {
        Name = "Catamaran", "Catamaran";
        SkipToContent = "Skip to the content", "본문으로 건너뛰기";
        Navigation = "Pages", "페이지";
        HomePage = "Home", "홈";
        Lessons = "Lessons", "수업";
        Preferences = "Language and colours", "언어와 색상";
        ThemeLabel = "Colours", "색상";
        ThemeSystem = "System", "시스템";
        ThemeLight = "Light", "밝게";
        ThemeDark = "Dark", "어둡게";
        NotFound = "There is no such page.", "그런 페이지가 없어요.";
        NotFoundFix = "The link may be old or cut short. Start from the home page, or open a lesson from there.",
            "링크가 오래되었거나 잘렸을 수 있어요. 홈에서 시작하거나 홈에서 수업을 여세요.";
        GoHome = "Go to the home page", "홈으로 가기";
        FooterWhat = "Catamaran is free software, MIT or Apache-2.0. Everything you see is computed in this page; nothing is sent anywhere.",
            "Catamaran은 자유 소프트웨어예요(MIT 또는 Apache-2.0). 보이는 것은 모두 이 페이지 안에서 계산되고, 어디로도 전송되지 않아요.";
        FooterOffline = "After the first visit it works without a network.", "한 번 연 뒤에는 네트워크 없이도 작동해요.";
        Copy = "Copy", "복사";
        Copied = "Copied", "복사했어요";
        CopyFailed = "The browser refused; select the text and copy it", "브라우저가 막았어요. 글을 선택해서 복사하세요";
        Close = "Close", "닫기";
    }
}
