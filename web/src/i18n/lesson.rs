//! Texts of the lesson page that are the same in every lesson.

super::texts! {
    /// The seven beats, controls, goal, export.
    Lesson {
        Beats = "The seven beats of this lesson", "이 수업의 일곱 단계";
        BeatPlay = "Play", "체험";
        BeatBet = "Bet", "예측";
        BeatRun = "Run", "실행";
        BeatWhy = "Why", "이유";
        BeatGoal = "Goal", "과제";
        BeatForReal = "For real", "실전";
        BeatDebrief = "Debrief", "정리";
        BeatDone = "visited", "봤어요";
        Next = "Next", "다음";
        Back = "Back", "이전";
        Knobs = "Turn something", "직접 바꿔 보기";
        Undo = "Undo", "되돌리기";
        Redo = "Redo", "다시 하기";
        Reset = "Reset", "처음 값으로";
        Locked = "stays as it is in this task", "이 과제에서는 바꿀 수 없어요";
        Seed = "Random seed", "난수 시드(seed)";
        SeedHelp = "Another seed is another day: the same rates, other moments.", "시드를 바꾸면 다른 날이 돼요. 평균은 같고 도착하는 순간만 달라져요.";
        Platform = "Platform", "플랫폼";
        BetStage = "This is the scenario of the bet. Your own values come back with the next beat.",
            "예측 문제의 시나리오예요. 직접 바꾼 값은 다음 단계에서 다시 나와요.";
        Confidence = "How sure are you?", "얼마나 확신하나요?";
        Guess = "a guess", "찍었어요";
        Fairly = "fairly", "꽤 확신해요";
        Certain = "certain", "확실해요";
        PlaceBet = "Place the bet and see", "예측하고 결과 보기";
        SkipBet = "Skip and see", "건너뛰고 결과 보기";
        YourBet = "Your bet", "내 예측";
        Answer = "The simulator", "시뮬레이터";
        BetRight = "right", "맞았어요";
        BetWrong = "off", "빗나갔어요";
        NoBet = "You skipped the bet.", "예측을 건너뛰었어요.";
        Waiting = "The answer is being simulated…", "답을 시뮬레이션하는 중이에요…";
        WhyThis = "Follow one request", "요청 하나를 따라가기";
        Slowest = "The slowest request", "가장 느린 요청";
        Typical = "A typical request", "보통 요청";
        WhyNone = "No request was answered in this run, so there is none to follow.", "이 실행에서는 끝난 요청이 없어 따라갈 것이 없어요.";
        GoalTitle = "Check", "확인";
        GoalMet = "Done: the goal is met.", "해냈어요. 과제를 풀었어요.";
        GoalOpen = "Not yet.", "아직이에요.";
        GoalUnknown = "unknown", "알 수 없음";
        GoalChecking = "Checking…", "확인하는 중…";
        ConditionHeld = "holds", "충족했어요";
        ConditionOpen = "not yet", "아직이에요";
        Finds = "Mark what leaks", "새는 것을 고르세요";
        StepUp = "up", "위로";
        StepDown = "down", "아래로";
        Solution = "Solution", "풀이";
        ApplySolution = "Set these values", "이 값 적용하기";
        Glossary = "Glossary", "용어";
        CopyLink = "Copy link", "링크 복사";
        ShareHelp = "The link holds everything: lesson, values, seed, moment, language and colours.",
            "링크에 수업, 값, 시드, 시점, 언어, 색상이 모두 담겨요.";
        Export = "Take it with you", "내려받기";
        ExportScenario = "Scenario (TOML)", "시나리오(TOML)";
        ExportReport = "Report (JSON)", "보고서(JSON)";
        ExportRequests = "Requests (CSV)", "요청(CSV)";
        ExportCharts = "Charts (SVG)", "차트(SVG)";
        ExportProgress = "Progress (JSON)", "진도(JSON)";
        Print = "Print as a worksheet", "학습지로 인쇄";
        Kept = "Your progress is kept in this browser only.", "진도는 이 브라우저에만 저장돼요.";
        ScenarioInvalid = "This value does not go into the scenario:", "이 값은 시나리오에 넣을 수 없어요:";
    }
}
